import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { createBroker } from "@wrenmq/broker";
import mqtt from "mqtt";
import webServiceAuth from "./web-service-auth.ts";

/** The web service: it knows ada. */
const service = createServer(async (request, response) => {
  const { username, password } = JSON.parse(await text(request)) as { username: string; password: string };
  response.statusCode = username === "ada" && password === "1815" ? 200 : 401;
  response.end(JSON.stringify({ topics: ["ada/#"] }));
});
service.listen(0, "127.0.0.1");
await once(service, "listening");
const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/login`;

const broker = createBroker({
  listeners: { local: { type: "tcp", host: "127.0.0.1", port: 0 } },
  plugins: [webServiceAuth({ url })],
});
await broker.start();
const address = broker.addresses.get("local") ?? "";

const said = (error: Error): string => error.message;
const ada = await mqtt.connectAsync(address, { username: "ada", password: "1815", protocolVersion: 5 });
for (const topic of ["ada/lamp", "bob/lamp"]) {
  console.log(topic, await ada.publishAsync(topic, "on", { qos: 1 }).then(() => "was published", said));
}
await ada.endAsync();
const guess = mqtt.connectAsync(address, { username: "ada", password: "0000", reconnectPeriod: 0 }, false);
console.log(await guess.then(() => "entered", said));

await broker.shutdown();
service.close();
