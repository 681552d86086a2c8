// A broker with something on every page: clients that publish, one that is slow, sessions without a connection, losses,
// rules, a plugin that fails, a certificate, and a file that has changed since the start.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brokerFromConfig } from "@wrenmq/host";
import { onTestFinished } from "vitest";
import { makeCertificate } from "../../../../apps/cli/test/support/certificate.ts";
import { type LiveBroker, liveBroker, type Plugin, temporaryFolder } from "./live-broker.ts";

const RULES: Plugin = {
  name: "plant-rules",
  setup: () => ({
    authorize: ({ clientId }, action, topic) => {
      if (clientId === "guest-display" && action === "receive" && topic.endsWith("/energy")) {
        return { reasonCode: 0x87, rule: "rules.yaml line 12: guests see no energy" };
      }
      return true;
    },
  }),
};

const NOTES: Plugin = {
  name: "notes",
  setup: () => ({
    disconnected: () => {
      throw new Error("connect ECONNREFUSED 10.0.4.7:5432");
    },
  }),
};

const configuration = (certificate: string, key: string, isChanged: boolean): string => `
listeners:
  default: { bind: "127.0.0.1:0", max_connections: ${isChanged ? 20000 : 10000} }
  secure: { type: tls, bind: "127.0.0.1:0", tls: { certificate_file: ${certificate}, key_file: ${key} } }
${isChanged ? '  local: { bind: "127.0.0.1:0" }\n' : ""}
plugins: { anonymous: { named_users: allow } ${isChanged ? ", taboo: { topics: [secret] }" : ""} }
limits: { max_queued_messages: 20000, overflow: drop-new ${isChanged ? ", max_sessions: 50000" : ""} }
${isChanged ? "store: { path: ./data }" : ""}
`;

const SENSORS = ["hall-1", "hall-2", "boiler", "roof", "gate"];

export async function busyPlant(): Promise<LiveBroker> {
  const folder = await temporaryFolder();
  const { certificate, key } = await makeCertificate(folder);
  const file = join(folder, "wrenmq.yaml");
  await writeFile(file, configuration(certificate, key, false));
  const host = await brokerFromConfig(file, { dropHistory: true, plugins: [RULES, NOTES] });
  const live = await liveBroker({ host });
  const away = async (clientId: string, filter: string): Promise<void> => {
    const client = await live.client(clientId, { clean: false, properties: { sessionExpiryInterval: 86_400 } });
    await client.subscribeAsync(filter, { qos: 1 });
    await client.endAsync();
  };
  await away("van-12", "plant/+/temperature");
  await away("archive", "plant/#");
  const slow = await live.client("guest-display", { username: "guest", properties: { receiveMaximum: 5 } });
  // It acknowledges nothing.
  slow.handleMessage = () => {};
  await slow.subscribeAsync("plant/#", { qos: 1 });
  const board = await live.client("control-room", { username: "ada" });
  await board.subscribeAsync(["plant/#", "$share/alarms/alarm/#"], { qos: 1 });
  const sensors = await Promise.all(
    SENSORS.map(async (name) => ({ name, client: await live.client(`sensor-${name}`, { username: "plant" }) })),
  );
  let turn = 0;
  const publish = (): void => {
    turn++;
    for (const [index, { name, client }] of sensors.entries()) {
      const temperature = (20 + index * 3 + Math.sin(turn / 9 + index) * 2).toFixed(1);
      client.publish(`plant/${name}/temperature`, temperature, { qos: 1 });
      if (turn % (index + 2) === 0) {
        const values = { kwh: 120 + turn, phase: [230, 231, 229 + (turn % 3)], at: name };
        client.publish(`plant/${name}/energy`, JSON.stringify(values), { qos: index % 2 === 0 ? 1 : 0, retain: true });
      }
    }
  };
  const timer = setInterval(publish, 100);
  onTestFinished(() => clearInterval(timer));
  await writeFile(file, configuration(certificate, key, true));
  return live;
}
