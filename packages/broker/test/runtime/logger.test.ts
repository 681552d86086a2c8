import type { Logger, Plugin } from "@wrenmq/plugin-api";
import { describe, expect, test } from "vitest";
import { boundedLogger } from "../../src/runtime/logger.ts";
import { MemoryLogger, startBroker } from "../support.ts";

const LONG = "x".repeat(60_000);

function written(fields: object, message = "line"): { fields: object; message: string } {
  const logger = new MemoryLogger();
  boundedLogger(logger).info(fields, message);
  const [line] = logger.lines;
  if (line === undefined) throw new Error("nothing was written");
  return line;
}

describe("what a client can put into a line", () => {
  test("is cut and marked: values, in whatever they are, sentences, the message", () => {
    const cut = `${"x".repeat(256)}… (60000 characters)`;
    const packet = { topic: LONG, properties: { userProperties: [["key", LONG]] } };
    const { fields, message } = written({ clientId: LONG, reason: LONG, short: "s", number: 7, packet }, LONG);
    expect(fields).toEqual({
      clientId: cut,
      reason: `${"x".repeat(512)}… (60000 characters)`,
      short: "s",
      number: 7,
      packet: { topic: cut, properties: { userProperties: [["key", cut]] } },
    });
    expect(message.length).toBeLessThan(600);
    expect(packet.topic).toBe(LONG);
  });

  test("is not cut in the middle of a character", () => {
    expect(written({ topic: `${"x".repeat(255)}😀😀` }).fields).toEqual({
      topic: `${"x".repeat(255)}… (259 characters)`,
    });
  });

  test("an address that there is not is left out; errors stay what they are", () => {
    const error = new Error("broken");
    expect(written({ address: "", remoteAddress: "", username: "", error }).fields).toEqual({ username: "", error });
  });

  test("what is short is passed on as it is", () => {
    const fields = { clientId: "a", nested: { list: [1, "b"] } };
    expect(written(fields).fields).toBe(fields);
  });

  test("lines that nobody will see are not looked at; children are bounded too", () => {
    const lines: object[] = [];
    const logger: Logger = {
      debug: () => expect.unreachable(),
      info: (fields) => lines.push(fields),
      warn: () => {},
      error: () => {},
      child: (bindings) => ({ ...logger, info: (fields) => lines.push({ ...bindings, ...fields }) }),
      isLevelEnabled: (level) => level !== "debug",
    };
    const bounded = boundedLogger(logger);
    bounded.debug({ clientId: LONG }, "not seen");
    bounded.child({ plugin: LONG }).info({ topic: LONG }, "seen");
    expect(bounded.isLevelEnabled?.("debug")).toBe(false);
    expect(JSON.stringify(lines).length).toBeLessThan(800);
    const { isLevelEnabled: _none, ...without } = logger;
    expect(boundedLogger(without).isLevelEnabled).toBeUndefined();
  });
});

test("no line of a broker or a plugin carries an identifier of 60 KB, or an empty address", async () => {
  const logger = new MemoryLogger();
  const plugin: Plugin = {
    name: "talker",
    setup: ({ logger: own }) => ({
      authenticate: () => true,
      connected: ({ clientId, remoteAddress }) => own.info({ clientId, remoteAddress }, `hello ${clientId}`),
    }),
  };
  const fixture = await startBroker({ logger, plugins: [plugin] });
  const client = await fixture.connect(5, { clientId: LONG });
  await client.disconnect();
  await fixture.clock.settle();
  expect(logger.lines.some(({ message }) => message.startsWith("hello"))).toBe(true);
  for (const line of logger.lines) {
    expect(JSON.stringify(line).length).toBeLessThan(2_000);
    expect(line.fields).not.toMatchObject({ address: "" });
    expect(line.fields).not.toMatchObject({ remoteAddress: "" });
  }
  await fixture.stop();
});
