import { afterAll, describe } from "vitest";
import { describeAmqttDatabase } from "./amqtt-suite.ts";
import { makeAmqttTables } from "./amqtt-tables.ts";
import { startMariadb, startPostgres } from "./servers.ts";
import { describeDatabase } from "./sql-suite.ts";

const servers = [
  { name: "PostgreSQL", server: await startPostgres() },
  { name: "MariaDB", server: await startMariadb() },
];
for (const { name, server } of servers) {
  describe.skipIf(server === undefined)("a real server", () => {
    describeDatabase(name, () => server?.url ?? "");
    describeAmqttDatabase(
      name,
      () => server?.url ?? "",
      () => makeAmqttTables(server?.url ?? ""),
    );
    afterAll(() => server?.stop());
  });
}
