import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Action, type Identity, isAllowed, type Verdict } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { exportJWK, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AuthJwtOptions, authJwt } from "../src/index.ts";

const SECRET = "a secret that is long enough for HS256";
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const bytes = (text: string) => new TextEncoder().encode(text);
const now = () => Math.floor(Date.now() / 1000);

const sign = (claims: Record<string, unknown>, secret = SECRET, alg = "HS256") =>
  new SignJWT(claims).setProtectedHeader({ alg }).sign(bytes(secret));
const start = async (given: Partial<AuthJwtOptions> = {}) =>
  TestHost.start([authJwt({ secretKey: SECRET, algorithms: ["HS256"], ...given } as AuthJwtOptions)]);
const enter = async (
  host: TestHost,
  token: string | undefined,
  username: string | undefined = "bob",
): Promise<Identity> =>
  host.chain.authenticate(testClient({ username }), token === undefined ? undefined : bytes(token));

describe("a shared secret", () => {
  test("a valid token lets its user in, until it expires", async () => {
    const host = await start();
    const exp = now() + 60;
    expect(await enter(host, await sign({ sub: "bob", exp }))).toMatchObject({
      reasonCode: 0,
      username: "bob",
      expiresAt: exp * 1000,
      rule: 'auth-jwt: a valid token of "bob"',
    });
    expect((await enter(host, await sign({ sub: "bob" }))).expiresAt).toBeUndefined();
  });

  test("a client without a user name gets the token's", async () => {
    const host = await start();
    const identity = await host.chain.authenticate(testClient(), bytes(await sign({ sub: "bob" })));
    expect(identity).toMatchObject({ reasonCode: 0, username: "bob" });
  });

  test("without a password there is no opinion", async () => {
    expect((await enter(await start(), undefined)).rule).toMatch(/no plugin has an opinion/);
  });

  test.each<[string, () => Promise<string> | string, RegExp]>([
    ["expired", () => sign({ sub: "bob", exp: now() - 1 }), /"exp"/],
    ["not valid yet", () => sign({ sub: "bob", nbf: now() + 60 }), /"nbf"/],
    ["somebody else's", () => sign({ sub: "eve" }), /is not the user name/],
    ["of nobody", () => sign({}), /no claim "sub"/],
    ["of a number", () => sign({ sub: 7 as unknown as string }), /sub/],
    ["signed with another secret", () => sign({ sub: "bob" }, "another secret that is long enough"), /signature/],
    ["signed with another algorithm", () => sign({ sub: "bob" }, SECRET.repeat(2), "HS512"), /"alg"/],
    ["not signed", () => new UnsecuredJWT({ sub: "bob" }).encode(), /not valid/],
    ["no token", () => "password", /not valid/],
    ["empty", () => "", /not valid/],
  ])("a token that is %s is refused", async (_what, token, rule) => {
    const host = await start();
    const identity = await enter(host, await token());
    expect(identity.reasonCode).toBe(0x87);
    expect(identity.rule).toMatch(rule);
    expect(host.failures).toEqual([]);
  });

  test("issuer and audience can be required", async () => {
    const host = await start({ issuer: "us", audience: "mqtt" });
    expect(isAllowed(await enter(host, await sign({ sub: "bob", iss: "us", aud: ["mqtt", "x"] })))).toBe(true);
    expect(isAllowed(await enter(host, await sign({ sub: "bob", iss: "them", aud: "mqtt" })))).toBe(false);
    expect(isAllowed(await enter(host, await sign({ sub: "bob", iss: "us" })))).toBe(false);
  });
});

describe("options", () => {
  test.each<[Partial<AuthJwtOptions>, string]>([
    [{ algorithms: ["none"] }, 'algorithms.0: expected one of "HS256"'],
    [{ algorithms: ["RS256"] }, "RS256 does not go with secretKey"],
    [{ algorithms: [] }, "name at least one"],
    [{ publicKeyFile: "x" }, "exactly one of"],
    [{ algorithms: undefined as unknown as string[] }, "algorithms: is missing"],
  ])("%j", async (given, message) => {
    await expect(start(given)).rejects.toThrow(message);
  });

  test("a short secret is warned about", async () => {
    const host = await start({ secretKey: "short" });
    expect(host.logs).toMatchObject([{ level: "warn", message: expect.stringMatching(/guessed/) }]);
  });
});

describe("public keys", () => {
  let folder: string;
  let server: Server;
  let url: string;
  let requests = 0;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
    const keys = [{ ...(await exportJWK(ec.publicKey)), kid: "k1", alg: "ES256" }];
    server = createServer((_request, response) => {
      requests++;
      response.setHeader("content-type", "application/json").end(JSON.stringify({ keys }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
    server.close();
  });
  const byFile = () => {
    const publicKeyFile = join(folder, "key.pem");
    writeFileSync(publicKeyFile, rsa.publicKey.export({ type: "spki", format: "pem" }));
    return TestHost.start([authJwt({ publicKeyFile, algorithms: ["RS256"] })]);
  };

  test("a PEM file", async () => {
    const token = await new SignJWT({ sub: "bob" }).setProtectedHeader({ alg: "RS256" }).sign(rsa.privateKey);
    expect(isAllowed(await enter(await byFile(), token))).toBe(true);
  });

  test("the public key cannot be used as the secret of an HS algorithm", async () => {
    const pem = rsa.publicKey.export({ type: "spki", format: "pem" }).toString();
    expect((await enter(await byFile(), await sign({ sub: "bob" }, pem))).rule).toMatch(/"alg"/);
  });

  test("a key set, fetched once", async () => {
    const host = await TestHost.start([authJwt({ jwksUrl: url, algorithms: ["ES256"] })]);
    const token = await new SignJWT({ sub: "bob" }).setProtectedHeader({ alg: "ES256", kid: "k1" }).sign(ec.privateKey);
    expect(isAllowed(await enter(host, token))).toBe(true);
    expect(isAllowed(await enter(host, token))).toBe(true);
    expect(requests).toBe(1);
    const other = await new SignJWT({ sub: "bob" }).setProtectedHeader({ alg: "ES256", kid: "k2" }).sign(ec.privateKey);
    expect((await enter(host, other)).reasonCode).toBe(0x87);
    expect(host.failures).toEqual([]);
  });

  test("a key set that cannot be had refuses with Server unavailable", async () => {
    const host = await TestHost.start([authJwt({ jwksUrl: `${url.replace(/:\d+/, ":1")}`, algorithms: ["ES256"] })]);
    const token = await new SignJWT({ sub: "bob" }).setProtectedHeader({ alg: "ES256", kid: "k1" }).sign(ec.privateKey);
    expect((await enter(host, token)).reasonCode).toBe(0x88);
    expect(host.failures).toHaveLength(1);
  });

  test("a file that is no key stops the start", async () => {
    const publicKeyFile = join(folder, "no.pem");
    writeFileSync(publicKeyFile, "no key");
    await expect(TestHost.start([authJwt({ publicKeyFile, algorithms: ["RS256"] })])).rejects.toMatchObject({
      code: "ERR_PLUGIN_START",
    });
  });
});

describe("topic claims", () => {
  const claims = { sub: "bob", publish: ["a/+", 7], subscribe: ["b/#"], receive: ["b/#", "c"] };
  const ask = (host: TestHost, attributes: Record<string, unknown>, action: Action, topic: string) =>
    host.chain.authorize?.(testClient({ username: "bob", attributes }), action, topic) as Verdict;

  test("cover what they contain and nothing else", async () => {
    const host = await start({ authorize: true });
    const { attributes = {} } = await enter(host, await sign(claims));
    const may = (action: Action, topic: string) => isAllowed(ask(host, { ...attributes }, action, topic));
    expect(["a/x", "a/x/y", "b"].map((topic) => may("publish", topic))).toEqual([true, false, false]);
    expect(["b", "b/+", "#", "$SYS/#"].map((topic) => may("subscribe", topic))).toEqual([true, true, false, false]);
    expect(["b/x", "c", "d"].map((topic) => may("receive", topic))).toEqual([true, true, false]);
    expect(ask(host, { ...attributes }, "publish", "a/x").rule).toBe("auth-jwt: token.publish[0]");
  });

  test("a token without topic claims grants nothing; a client without token is left to others", async () => {
    const host = await start({ authorize: true });
    const { attributes = {} } = await enter(host, await sign({ sub: "bob" }));
    expect(isAllowed(ask(host, { ...attributes }, "publish", "a"))).toBe(false);
    expect(ask(host, {}, "publish", "a").rule).toBe("no rule allows it");
  });

  describe("two instances, one for users and one for topics, as in aMQTT", () => {
    const options = { secretKey: SECRET, algorithms: ["HS256"] };
    const topicClaims = { publishClaim: "publish_acl", subscribeClaim: "subscribe_acl", receiveClaim: "receive_acl" };
    const token = { username: "bob", publish_acl: ["a/+"], subscribe_acl: ["b/#"], receive_acl: ["b/#"] };
    const pair = () => [
      { ...authJwt({ ...options, userClaim: "username" }), name: "users" },
      { ...authJwt({ ...options, ...topicClaims, authenticate: false, authorize: true }), name: "topics" },
    ];

    test.each([
      ["users first", pair()],
      ["topics first", pair().reverse()],
    ])("the one for topics needs no user claim (%s)", async (_order, plugins) => {
      const host = await TestHost.start(plugins);
      const client = testClient({ username: "bob" });
      const identity = await host.chain.authenticate(client, bytes(await sign(token)));
      expect(identity).toMatchObject({ reasonCode: 0, username: "bob" });
      Object.assign(client.attributes, identity.attributes);
      expect(isAllowed(ask(host, client.attributes, "publish", "a/x"))).toBe(true);
      expect(isAllowed(ask(host, client.attributes, "publish", "b/x"))).toBe(false);
      expect(isAllowed(ask(host, client.attributes, "subscribe", "b/#"))).toBe(true);
    });

    test("a token that is not valid grants nothing", async () => {
      const host = await TestHost.start(pair());
      const client = testClient({ username: "bob" });
      const forged = await sign(token, "another secret that is long enough");
      expect((await host.chain.authenticate(client, bytes(forged))).reasonCode).toBe(0x87);
      expect(client.attributes).toEqual({});
    });
  });

  test("what two instances read from one token stays apart", async () => {
    const options = { secretKey: SECRET, algorithms: ["HS256"], authorize: true };
    const host = await TestHost.start([
      { ...authJwt({ ...options, publishClaim: "one" }), name: "first" },
      { ...authJwt({ ...options, publishClaim: "two" }), name: "second" },
    ]);
    const client = testClient({ username: "bob" });
    const answer = await host.chain.authenticate(client, bytes(await sign({ sub: "bob", one: ["a"], two: ["b"] })));
    const opinions = await host.chain.explain?.(testClient({ attributes: { ...answer.attributes } }), "publish", "a");
    expect(opinions?.map(({ decision }) => decision)).toEqual(["allow", "deny"]);
  });

  test("without authorize topics are nobody's business here", async () => {
    expect((await start()).chain.authorize).toBeUndefined();
  });
});
