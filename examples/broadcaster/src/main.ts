import { createBroker } from "@wrenmq/broker";
import mqtt from "mqtt";
import broadcaster from "./broadcaster.ts";

const everybody = { name: "everybody", setup: () => ({ authenticate: () => true }) };
const broker = createBroker({
  listeners: { local: { type: "tcp", host: "127.0.0.1", port: 0 } },
  plugins: [everybody, broadcaster({ interval: 20 })],
});
await broker.start();
const url = broker.addresses.get("local") ?? "";

const ada = await mqtt.connectAsync(url, { clientId: "ada" });
const heard = (): Promise<string> =>
  new Promise((resolve) => ada.once("message", (topic, payload) => resolve(`${topic}: ${payload}`)));

await ada.subscribeAsync("house/come");
const arrival = heard();
const bob = await mqtt.connectAsync(url, { clientId: "bob" });
console.log(await arrival);

await ada.unsubscribeAsync("house/come");
const report = heard();
await ada.subscribeAsync("house/present");
console.log(await report);

await bob.endAsync();
await ada.endAsync();
await broker.shutdown();
