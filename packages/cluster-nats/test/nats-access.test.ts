// How members get in to NATS: over TLS, with an nkey, with credentials of an account, over three servers; each with the
// permissions of docs/clustering.md and no more.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, nkeys } from "@nats-io/transport-node";
import { afterAll, describe, expect, test } from "vitest";
import type { NatsOptions } from "../src/nats/nats-connection.ts";
import { startMember } from "./support/members.ts";
import { isNatsHere, type NatsServer, permissions, USER } from "./support/nats-server.ts";
import { NatsTrio } from "./support/nats-trio.ts";

const HERE = { host: "127.0.0.1" };
/** Members connect where `options.nats` says. */
const NOWHERE = { url: "" } as NatsServer;

const folder = mkdtempSync(join(tmpdir(), "wrenmq-nats-access-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** One server, and one member of it that may publish. */
async function joins(trio: NatsTrio, nats: object): Promise<void> {
  const member = await startMember(NOWHERE, "a", { nats: { servers: trio.urls, ...nats } });
  try {
    const client = await member.connect({ clientId: "c" });
    expect(await client.publish("t", "x", { qos: 1 })).toBeLessThan(0x80);
    expect(member.member.report()).toMatchObject({ isConnected: true, isCertain: true });
  } finally {
    await member.stop();
  }
}

describe.skipIf(!isNatsHere)("an nkey", () => {
  test("in a file lets a member in; another one is refused in one line", async () => {
    const [own, other] = [nkeys.createUser(), nkeys.createUser()];
    const users = [{ nkey: own.getPublicKey(), permissions: permissions("test") }];
    await using trio = await NatsTrio.start("test", [HERE], { authorization: { users } });
    await joins(trio, { credentialsFile: fileOf("own.nk", `${text(own.getSeed())}\n`) });
    const wrong = { servers: trio.urls, credentialsFile: fileOf("other.nk", text(other.getSeed())) };
    await expect(startMember(NOWHERE, "a", { nats: wrong })).rejects.toThrow(/^NATS \(.+\) refuses the credentials$/);
  });
});

/** A JSON Web Token as nats-server has them. */
function token(issuer: ReturnType<typeof nkeys.createUser>, subject: string, name: string, nats: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    jti: name,
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    name,
    sub: subject,
    nats,
  };
  const body = `${part({ typ: "JWT", alg: "ed25519-nkey" })}.${part(claims)}`;
  return `${body}.${Buffer.from(issuer.sign(new TextEncoder().encode(body))).toString("base64url")}`;
}

describe.skipIf(!isNatsHere)("credentials of an account", () => {
  test("let a member in with the permissions that are documented", async () => {
    const [operator, system, account, user] = [
      nkeys.createOperator(),
      nkeys.createAccount(),
      nkeys.createAccount(),
      nkeys.createUser(),
    ];
    const limits = { subs: -1, data: -1, payload: -1, conn: -1, leaf: -1, imports: -1, exports: -1, wildcards: true };
    const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
    const accountOf = (key: typeof account, name: string, more: object): string =>
      token(operator, key.getPublicKey(), name, { limits: { ...limits, ...more }, type: "account", version: 2 });
    const allowed = permissions("test") as { publish: string[]; subscribe: string[] };
    const rights = { pub: { allow: allowed.publish }, sub: { allow: allowed.subscribe } };
    const jwt = token(account, user.getPublicKey(), "wren", {
      ...rights,
      ...{ subs: -1, data: -1, payload: -1 },
      type: "user",
      version: 2,
    });
    const system_account = system.getPublicKey();
    const changes = {
      authorization: undefined,
      operator: token(operator, operator.getPublicKey(), "operator", { type: "operator", version: 2 }),
      system_account,
      resolver: "MEMORY",
      resolver_preload: {
        [system_account]: accountOf(system, "system", {}),
        [account.getPublicKey()]: accountOf(account, "plant", storage),
      },
    };
    await using trio = await NatsTrio.start("test", [HERE], changes);
    const lines = (kind: string, body: string): string => `-----BEGIN ${kind}-----\n${body}\n------END ${kind}------\n`;
    const creds = lines("NATS USER JWT", jwt) + lines("USER NKEY SEED", text(user.getSeed()));
    await joins(trio, { credentialsFile: fileOf("plant.creds", creds) });
  });
});

const OPENSSL = "/usr/bin/openssl";

describe.skipIf(!isNatsHere || !existsSync(OPENSSL))("TLS", () => {
  const make = (name: string, address: string): { readonly certificate: string; readonly key: string } => {
    const [certificate, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
    const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=nats";
    const names = ["-addext", `subjectAltName=IP:${address}`, "-keyout", key, "-out", certificate];
    execFileSync(OPENSSL, [...words.split(" "), ...names], { stdio: "ignore" });
    return { certificate, key };
  };
  /** The line that a member says first. It waits for ever then, until it is told not to. */
  const complaint = async (nats: NatsOptions): Promise<string> => {
    const lines: string[] = [];
    const stopping = new AbortController();
    const said = (line: string): void => {
      lines.push(line);
      stopping.abort(new Error("stopped"));
    };
    await expect(startMember(NOWHERE, "a", { nats, signal: stopping.signal, said })).rejects.toThrow("stopped");
    return lines.join("\n");
  };

  test("with the authority of the server, and a certificate of the member; without them one line", async () => {
    const { certificate, key } = make("server", "127.0.0.1");
    const tls = { cert_file: certificate, key_file: key, ca_file: certificate, verify: true };
    await using trio = await NatsTrio.start("test", [HERE], { tls });
    const own = { caFile: certificate, certFile: certificate, keyFile: key };
    await joins(trio, { ...USER, tls: own });
    const refused = await complaint({ servers: trio.urls, ...USER });
    expect(refused).toMatch(/^NATS \(.+\) cannot be reached: .+; trying again until it can$/);
  });

  test("a certificate for another address is refused", async () => {
    const { certificate, key } = make("another", "127.0.0.2");
    await using trio = await NatsTrio.start("test", [HERE], { tls: { cert_file: certificate, key_file: key } });
    const refused = await complaint({ servers: trio.urls, ...USER, tls: { caFile: certificate } });
    expect(refused).toMatch(/cannot be reached: .*127\.0\.0\.1 is not in the cert's list/);
  });
});

describe.skipIf(!isNatsHere)("three servers", { timeout: 60_000 }, () => {
  test("keep three replicas of the bucket; what something else has put in its place is told in one line", async () => {
    await using trio = await NatsTrio.start("test");
    const nats = { servers: trio.urls, ...USER };
    const member = await startMember(NOWHERE, "a", { nats });
    const probe = await connect({ servers: trio.urls, user: USER.username, pass: USER.password });
    const { config } = (await probe.request("$JS.API.STREAM.INFO.KV_WREN_test")).json<{
      config: { num_replicas: number };
    }>();
    expect(config.num_replicas).toBe(3);
    await member.stop();
    await probe.request("$KV.WREN_test.view", "something else");
    await probe.close();
    await expect(startMember(NOWHERE, "a", { nats })).rejects.toThrow(
      /holds no view of a cluster: does something else use the name/,
    );
  });
});
