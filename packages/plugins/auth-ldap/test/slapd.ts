// A real OpenLDAP server, started for the tests on a free port of this machine and ended with them. undefined, with a
// notice, where it is not installed.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const BASE: string = "dc=example,dc=org";
export const ADMIN: string = `cn=admin,${BASE}`;

const ENTRIES = `dn: ${BASE}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: uid=bob,${BASE}
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: Bob
userPassword: secret
description: out/+
description: a/#
carLicense: in/#

dn: cn=twin1,${BASE}
objectClass: inetOrgPerson
uid: twin
cn: twin1
sn: Twin
userPassword: secret

dn: cn=twin2,${BASE}
objectClass: inetOrgPerson
uid: twin
cn: twin2
sn: Twin
userPassword: secret

dn: uid=odd\\2C name*,${BASE}
objectClass: inetOrgPerson
uid: odd, name*
cn: Odd
sn: Odd
userPassword: secret
`;

export interface Slapd {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startSlapd(): Promise<Slapd | undefined> {
  if (!existsSync("/usr/sbin/slapd")) {
    process.stderr.write("slapd is not installed: its tests are skipped\n");
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), "wrenmq-slapd-"));
  const conf = join(folder, "slapd.conf");
  mkdirSync(join(folder, "db"));
  const schemas = ["core", "cosine", "inetorgperson"].map((name) => `include /etc/ldap/schema/${name}.schema`);
  const lines = [
    ...schemas,
    "modulepath /usr/lib/ldap",
    "moduleload back_mdb",
    `pidfile ${folder}/pid`,
    "database mdb",
    "maxsize 10485760",
    `suffix "${BASE}"`,
    `rootdn "${ADMIN}"`,
    "rootpw admin",
    `directory ${folder}/db`,
  ];
  writeFileSync(conf, `${lines.join("\n")}\n`);
  writeFileSync(join(folder, "entries.ldif"), ENTRIES);
  execFileSync("/usr/sbin/slapadd", ["-f", conf, "-l", join(folder, "entries.ldif")], { stdio: "pipe" });
  const port = await freePort();
  const server = spawn("/usr/sbin/slapd", ["-f", conf, "-h", `ldap://127.0.0.1:${port}`, "-d", "0"], {
    stdio: "ignore",
  });
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const stop = async () => {
    server.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  for (let attempt = 0; attempt < 100 && server.exitCode === null; attempt++) {
    if (await answers(port)) return { url: `ldap://127.0.0.1:${port}`, stop };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await stop();
  throw new Error("slapd did not start");
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

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => socket.end(() => resolve(true)));
    socket.once("error", () => resolve(false));
  });
}
