import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Identity, isAllowed } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { authPassword, parsePasswordFile } from "../src/index.ts";
import { Verifier } from "../src/verifier.ts";

const TEST = "$argon2id$v=19$m=1024,t=1,p=1$UdgfCsjIG+NmoAm1ZYI8Vg$4iVMO2eBrhb47kffNDiK3g";
const MOSQUITTO =
  "$7$101$ptdiXBfARFfp/gRt$1Ee9hIFStXMyP3WXvQiHmbo7kTsb8YiKLfFTekuaGn+SRofm2msbAFCUVqy0ccRKwWmmBvt6fiHBGk42FPhC0g==";
const bytes = (text: string) => new TextEncoder().encode(text);

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
  file = join(folder, "passwd");
});
afterEach(() => rmSync(folder, { recursive: true }));

async function start(text: string) {
  writeFileSync(file, text);
  return TestHost.start([authPassword({ file })]);
}
const turn = () => ({ share: "", attempt: { signal: new AbortController().signal, wait: () => () => {} } });
const login = async (host: TestHost, username: string | undefined, password: string | undefined): Promise<Identity> =>
  host.chain.authenticate(testClient({ username }), password === undefined ? undefined : bytes(password));

describe("who enters", () => {
  test("the right password does; the rule names file and line, the identity the user", async () => {
    const host = await start(`# users\n\ntest:${TEST}\nmos:${MOSQUITTO}\n`);
    expect(await login(host, "test", "test")).toMatchObject({
      reasonCode: 0,
      username: "test",
      rule: `auth-password: ${file}:3`,
    });
    expect(isAllowed(await login(host, "mos", "pässword"))).toBe(true);
  });

  test("a wrong or missing password and an unknown user are refused in the same words", async () => {
    const host = await start(`test:${TEST}\n`);
    const refusals = [
      await login(host, "test", "x"),
      await login(host, "test", undefined),
      await login(host, "x", "test"),
    ];
    expect(refusals.every((identity) => !isAllowed(identity))).toBe(true);
    expect(new Set(refusals.map((identity) => JSON.stringify(identity))).size).toBe(1);
  });

  test("without a user name there is no opinion", async () => {
    const host = await start(`test:${TEST}\n`);
    expect((await login(host, undefined, "test")).rule).toMatch(/no plugin has an opinion/);
  });
});

describe("an unknown user cannot be told from a known one by the work done", () => {
  test("the same verification runs once either way, with a hash of the file", async () => {
    const verify = vi.fn(async () => true);
    const users = parsePasswordFile(`test:${TEST}\nmos:${MOSQUITTO}\n`);
    const verifier = new Verifier(() => users, { remember: 0, verify });
    expect(await verifier.check("test", bytes("p"), turn())).toMatchObject({ username: "test" });
    expect(verify).toHaveBeenCalledTimes(1);
    expect(await verifier.check("nobody", bytes("p"), turn())).toBeUndefined();
    expect(verify).toHaveBeenCalledTimes(2);
    expect([TEST, MOSQUITTO]).toContain((verify.mock.calls as unknown[][])[1]?.[0]);
  });

  test("one name always gets the same decoy, many names all of them", async () => {
    const used = new Map<string, Set<string>>();
    let name = "";
    const users = parsePasswordFile(`test:${TEST}\nmos:${MOSQUITTO}\n`);
    const verify = async (hash: string) => {
      used.set(name, (used.get(name) ?? new Set()).add(hash));
      return false;
    };
    const verifier = new Verifier(() => users, { remember: 0, verify });
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 64; index++) {
        name = `nobody${index}`;
        await verifier.check(name, bytes("p"), turn());
      }
    }
    expect([...used.values()].every((hashes) => hashes.size === 1)).toBe(true);
    expect(new Set([...used.values()].flatMap((hashes) => [...hashes])).size).toBe(2);
  });

  test("an empty file still costs a verification", async () => {
    const verify = vi.fn(async () => true);
    const empty = parsePasswordFile("");
    const verifier = new Verifier(() => empty, { remember: 0, verify });
    expect(await verifier.check("x", bytes("p"), turn())).toBeUndefined();
    expect(verify).toHaveBeenCalledTimes(1);
  });
});

describe("the file", () => {
  test("bad lines are warned about with their number, never with their secret", async () => {
    const host = await start(`nonsense\nplain:secret\ntest:${TEST}\ntest:${MOSQUITTO}\n:x\n`);
    const warnings = host.logs.filter(({ level }) => level === "warn");
    expect(warnings.map(({ fields }) => (fields as { line: number }).line)).toEqual([1, 2, 4, 5]);
    expect(JSON.stringify(host.logs)).not.toContain("secret");
    expect(isAllowed(await login(host, "test", "test"))).toBe(true);
    expect(isAllowed(await login(host, "plain", "secret"))).toBe(false);
  });

  test("a missing file, or one without any usable line, stops the start", async () => {
    await expect(TestHost.start([authPassword({ file: join(folder, "no") })])).rejects.toMatchObject({
      code: "ERR_PLUGIN_START",
    });
    await expect(start("%PDF-1.4 this is\nno password file\n")).rejects.toThrow(
      `${file}: line 1: expected "user:hash"`,
    );
  });

  test("a change is taken over, and who has no valid password any more is disconnected", async () => {
    const host = await start(`test:${TEST}\nother:${TEST}\n`);
    for (const username of ["test", "other"]) {
      const identity = await login(host, username, "test");
      host.clients.push(testClient({ clientId: `c-${username}`, username, attributes: { ...identity.attributes } }));
    }
    host.clients.push(testClient({ clientId: "c-else", username: "test" }));
    writeFileSync(file, `test:${MOSQUITTO}\nother:${TEST}\n`);
    await vi.waitFor(() => {
      host.advance(2000);
      expect(host.disconnected).toEqual([{ clientId: "c-test", reasonCode: 0x87 }]);
    });
    expect(isAllowed(await login(host, "test", "test"))).toBe(false);
    expect(isAllowed(await login(host, "test", "pässword"))).toBe(true);
  });

  test("a damaged file leaves the last good one in force", async () => {
    const host = await start(`test:${TEST}\n`);
    writeFileSync(file, "oops\n");
    await vi.waitFor(() => {
      host.advance(2000);
      expect(host.logs.some(({ level }) => level === "error")).toBe(true);
    });
    expect(isAllowed(await login(host, "test", "test"))).toBe(true);
  });
});
