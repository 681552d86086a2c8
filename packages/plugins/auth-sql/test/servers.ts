// Real database servers, started for the tests on free ports of this machine and ended with them. undefined, with a
// notice, where they are not installed.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "@wrenmq/sql-database";
import { sql } from "kysely";

export interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

const root = process.getuid?.() === 0;

export async function startPostgres(): Promise<Server | undefined> {
  const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql") : [];
  const bin = versions
    .map((version) => `/usr/lib/postgresql/${version}/bin`)
    .find((path) => existsSync(`${path}/initdb`));
  if (bin === undefined) return notice("PostgreSQL");
  const folder = mkdtempSync(join(tmpdir(), "wrenmq-pg-"));
  // PostgreSQL refuses to run as root.
  const who = root ? { uid: idOf("-u"), gid: idOf("-g") } : {};
  if (who.uid !== undefined) chownSync(folder, who.uid, who.gid);
  const data = join(folder, "data");
  execFileSync(`${bin}/initdb`, ["-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync"], {
    ...who,
    cwd: folder,
    stdio: "ignore",
  });
  const port = await freePort();
  const settings = ["-h", "127.0.0.1", "-k", folder, "-p", String(port), "-F"];
  const server = spawn(`${bin}/postgres`, ["-D", data, ...settings], { ...who, cwd: folder, stdio: "ignore" });
  return ready(server, folder, `postgresql://tester@127.0.0.1:${port}/postgres`, "SIGINT");
}

export async function startMariadb(): Promise<Server | undefined> {
  const daemon = ["/usr/sbin/mariadbd", "/usr/sbin/mysqld"].find(existsSync);
  if (daemon === undefined || !existsSync("/usr/bin/mariadb-install-db")) return notice("MariaDB");
  const folder = mkdtempSync(join(tmpdir(), "wrenmq-maria-"));
  const data = join(folder, "data");
  const who = root ? ["--user=root"] : [];
  const install = [
    "--no-defaults",
    `--datadir=${data}`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    ...who,
  ];
  execFileSync("/usr/bin/mariadb-install-db", install, { stdio: "ignore" });
  const port = await freePort();
  const settings = [`--datadir=${data}`, `--port=${port}`, "--bind-address=127.0.0.1", `--socket=${folder}/sock`];
  const light = ["--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"];
  const server = spawn(daemon, ["--no-defaults", ...settings, ...light, ...who], { stdio: "ignore" });
  return ready(server, folder, `mysql://root@127.0.0.1:${port}/mysql`, "SIGTERM");
}

function notice(what: string): undefined {
  process.stderr.write(`${what} is not installed: its tests are skipped\n`);
  return undefined;
}

function idOf(option: string): number {
  return Number(execFileSync("id", [option, "postgres"], { encoding: "utf8" }));
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

async function ready(server: ChildProcess, folder: string, url: string, signal: NodeJS.Signals): Promise<Server> {
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const stop = async () => {
    server.kill(signal);
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  for (let attempt = 0; attempt < 150 && server.exitCode === null; attempt++) {
    const { db } = await openDatabase<object>(url);
    const answers = await sql`select 1`.execute(db).then(
      () => true,
      () => false,
    );
    await db.destroy();
    if (answers) return { url, stop };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop();
  throw new Error(`the server for ${url} did not start`);
}
