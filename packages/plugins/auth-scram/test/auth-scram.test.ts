import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuthenticationStep, MaybePromise } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { addScramUser, authScram, parseScramFile, scramCredentials, scramFileAdvice } from "../src/index.ts";
import { ScramExchange } from "../src/scram-exchange.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (step: AuthenticationStep) =>
  step.status !== "failure" && step.data !== undefined ? new TextDecoder().decode(step.data) : undefined;

/** The client's side, written after the RFC by itself. */
function clientFinal(password: string, firstBare: string, serverFirst: string, header = "n,,") {
  const [, nonce = "", salt = "", iterations = ""] = /^r=(.*),s=(.*),i=(.*)$/.exec(serverFirst) ?? [];
  const salted = pbkdf2Sync(password, Buffer.from(salt, "base64"), Number(iterations), 32, "sha256");
  const key = createHmac("sha256", salted).update("Client Key").digest();
  const withoutProof = `c=${Buffer.from(header).toString("base64")},r=${nonce}`;
  const stored = createHash("sha256").update(key).digest();
  const message = `${firstBare},${serverFirst},${withoutProof}`;
  const signature = createHmac("sha256", stored).update(message).digest();
  const proof = Buffer.from(key.map((byte, index) => byte ^ signature.readUInt8(index)));
  const serverKey = createHmac("sha256", salted).update("Server Key").digest();
  return {
    final: `${withoutProof},p=${proof.toString("base64")}`,
    verifier: `v=${createHmac("sha256", serverKey).update(message).digest("base64")}`,
  };
}

describe("the example of RFC 7677", () => {
  test("gives its messages", async () => {
    const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
    const users = parseScramFile(`user:${await scramCredentials("pencil", { salt, iterations: 4096 })}\n`);
    const exchange = new ScramExchange(
      { find: (name) => users.get(name), decoy: () => expect.unreachable() },
      undefined,
      () => "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    );
    const first = exchange.next(bytes("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
    expect(text(first)).toBe("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    const proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    const last = exchange.next(bytes(`c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=${proof}`));
    expect(last).toMatchObject({ status: "success", identity: { username: "user" } });
    expect(text(last)).toBe("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  });
});

describe("the plugin", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
    file = join(folder, "scram");
    const line = async (user: string) => `${user}:${await scramCredentials(user.toUpperCase(), { iterations: 4096 })}`;
    writeFileSync(file, `# users\n${await line("bob")}\n${await line("a,b=c")}\n`);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function begin(username?: string) {
    const host = await TestHost.start([authScram({ file })]);
    const exchange = host.chain.authenticationMethods.get("SCRAM-SHA-256")?.(testClient({ username }));
    return (message: string | undefined): MaybePromise<AuthenticationStep> | undefined =>
      exchange?.next(message === undefined ? undefined : bytes(message));
  }
  async function run(user: string, password: string, given: { username?: string; header?: string } = {}) {
    const say = await begin(given.username);
    const header = given.header ?? "n,,";
    const firstBare = `n=${user.replaceAll("=", "=3D").replaceAll(",", "=2C")},r=abcdef`;
    const first = await say(header + firstBare);
    if (first?.status !== "continue") return first;
    const { final, verifier } = clientFinal(password, firstBare, text(first) ?? "", header);
    const last = await say(final);
    if (last?.status === "success") expect(text(last)).toBe(verifier);
    return last;
  }

  test("the right password lets the user in, also one with commas in the name", async () => {
    expect(await run("bob", "BOB")).toMatchObject({ status: "success", identity: { username: "bob" } });
    expect(await run("a,b=c", "A,B=C")).toMatchObject({ status: "success", identity: { username: "a,b=c" } });
    expect(await run("bob", "BOB", { username: "bob", header: "y,a=bob," })).toMatchObject({ status: "success" });
  });

  test.each([
    ["a wrong password", "bob", "x", {}],
    ["an unknown user", "eve", "EVE", {}],
    ["another user name than in CONNECT", "bob", "BOB", { username: "eve" }],
    ["somebody else's authority", "bob", "BOB", { header: "n,a=root," }],
    ["channel binding", "bob", "BOB", { header: "p=tls-unique,," }],
    ["no user name", "", "", {}],
  ] as const)("%s is refused", async (_what, user, password, given) => {
    expect(await run(user, password, given)).toEqual({ status: "failure", reasonCode: 0x87 });
  });

  test("an unknown user is answered like a known one, every time in the same way", async () => {
    const salts = [];
    for (const user of ["eve", "bob", "ann"]) {
      const say = await begin();
      salts.push(/s=(.*),i=(.*)$/.exec(text((await say(`n,,n=${user},r=abc`)) as AuthenticationStep) ?? "")?.slice(1));
    }
    expect(salts.map((salt) => [salt?.[0]?.length, salt?.[1]])).toEqual(Array(3).fill([24, "4096"]));
    expect(new Set(salts.map(String)).size).toBe(3);
    const say = await TestHost.start([authScram({ file })]).then(
      (host) => () =>
        host.chain.authenticationMethods.get("SCRAM-SHA-256")?.(testClient()).next(bytes("n,,n=eve,r=abc")),
    );
    const saltOf = (step: unknown) => /s=([^,]*)/.exec(text(step as AuthenticationStep) ?? "")?.[1];
    expect(saltOf(say())).toBe(saltOf(say()));
  });

  test("a message that is repeated, missing, changed or rubbish ends the exchange", async () => {
    for (const rubbish of ["hello", "n,,n=bob", "n,,r=abc", "n,,m=x,n=bob,r=abc", "n,,n=b=ob,r=abc"]) {
      expect(await (await begin())(rubbish)).toMatchObject({ status: "failure" });
    }
    const say = await begin();
    const first = (await say("n,,n=bob,r=abc")) as AuthenticationStep;
    const { final } = clientFinal("BOB", "n=bob,r=abc", text(first) ?? "");
    expect(await say(final.replace("r=abc", "r=abd"))).toMatchObject({ status: "failure" });
    expect(await say(final)).toMatchObject({ status: "failure" });
  });

  test("the client may leave the first message out of CONNECT", async () => {
    const say = await begin();
    expect(await say(undefined)).toEqual({ status: "continue" });
    expect(await say("n,,n=bob,r=abc")).toMatchObject({ status: "continue" });
  });

  test("users are added to the file", async () => {
    await addScramUser(file, "new", "pässword");
    expect(await run("new", "pässword")).toMatchObject({ status: "success" });
    writeFileSync(file, "bob:$6$x$y\n");
    await expect(TestHost.start([authScram({ file })])).rejects.toThrow("line 1: expected");
  });
});

test("the file's advice: users with few iterations, and with very many, are named", async () => {
  const line = async (name: string, iterations: number) =>
    `${name}:${(await scramCredentials("x", { iterations: 1 })).replace("$1:", `$${iterations}:`)}\n`;
  const text = `${await line("few", 4096)}${await line("good", 100_000)}${await line("many", 5_000_000)}`;
  expect(scramFileAdvice(parseScramFile(text))).toEqual([
    "users few: fewer than 10000 iterations: whoever gets the file tries passwords quickly",
    "users many: more than 2000000 iterations: a login takes its device long",
  ]);
});

test("the server's part of a login is digests only: nothing waits for it, and nothing has to wait for its turn", async () => {
  const users = parseScramFile(`bob:${await scramCredentials("x", { iterations: 1000 })}\n`);
  const exchange = new ScramExchange(
    { find: (name) => users.get(name), decoy: () => users.get("bob") as never },
    undefined,
  );
  const step = exchange.next(new TextEncoder().encode("n,,n=bob,r=abc"));
  expect(step).not.toBeInstanceOf(Promise);
  expect(exchange.next(new TextEncoder().encode("c=biws,r=wrong,p=AAAA"))).toEqual({
    status: "failure",
    reasonCode: 0x87,
  });
});
