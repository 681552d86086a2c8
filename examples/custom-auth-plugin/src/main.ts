import { createBroker } from "@wrenmq/broker";
import { definePlugin, ReasonCode } from "@wrenmq/plugin-api";
import { options, record, string } from "@wrenmq/plugin-api/options";
import mqtt from "mqtt";

/** Users and their PINs; each may use the topics below its own name. */
const pins = definePlugin({
  name: "pins",
  config: options({ users: record(string()) }),
  hooks: ({ config }) => ({
    authenticate({ username = "" }, password) {
      const right = config.users.get(username) === new TextDecoder().decode(password);
      return right
        ? { reasonCode: ReasonCode.Success, rule: "the PIN is right" }
        : { reasonCode: ReasonCode.NotAuthorized, rule: "no such user and PIN" };
    },
    authorize({ username }, _action, topic) {
      return topic.startsWith(`${username}/`);
    },
  }),
});

await using broker = createBroker({
  listeners: { local: { type: "tcp", host: "127.0.0.1", port: 0 } },
  plugins: [pins({ users: { ada: "1815" } })],
});
await broker.start();
const url = broker.addresses.get("local") ?? "";

const ada = await mqtt.connectAsync(url, { username: "ada", password: "1815", protocolVersion: 5 });
const said = (error: Error): string => error.message;
for (const filter of ["ada/#", "bob/#"]) {
  console.log(filter, await ada.subscribeAsync(filter).then(() => "is granted", said));
}
await ada.endAsync();

const guess = mqtt.connectAsync(url, { username: "ada", password: "0000", reconnectPeriod: 0 }, false);
console.log(await guess.catch(said));
