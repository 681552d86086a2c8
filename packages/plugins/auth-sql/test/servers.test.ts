import { afterAll, describe } from "vitest";
import { startMariadb, startPostgres } from "./servers.ts";
import { describeDatabase } from "./sql-suite.ts";

const servers = [
  { name: "PostgreSQL", server: await startPostgres() },
  { name: "MariaDB", server: await startMariadb() },
];
for (const { name, server } of servers) {
  describe.skipIf(server === undefined)("a real server", () => {
    describeDatabase(name, () => server?.url ?? "");
    afterAll(() => server?.stop());
  });
}
