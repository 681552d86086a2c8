import { createBroker } from "@wrenmq/broker";
import { definePlugin, type Logger } from "@wrenmq/plugin-api";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createLogger, readable } from "../src/logging.ts";

const line = (fields: object): string =>
  readable(JSON.stringify({ level: 30, time: "2026-01-02T12:30:01.250Z", msg: "client disconnected", ...fields }));

test("a line for people", () => {
  expect(line({ clientId: "pump-1", reasonCode: 0, reason: "said goodbye" })).toBe(
    '12:30:01.250 info  client disconnected clientId=pump-1 reasonCode=0 reason="said goodbye"\n',
  );
});

test.each([
  ["\u001b[2J", '"\\u001b[2J"'],
  ["a\nb", '"a\\nb"'],
  ["\u009b31m", '"\\u009b31m"'],
  ["\u007f", '"\\u007f"'],
  ["a\u202eb", '"a\\u202eb"'],
  ["\u2028", '"\\u2028"'],
  ["\u{e0001}", '"\\udb40\\udc01"'],
  ["Grüße/温度", "Grüße/温度"],
])("what a client calls itself does not steer a terminal: %j", (clientId, shown) => {
  expect(line({ clientId })).toBe(`12:30:01.250 info  client disconnected clientId=${shown}\n`);
  expect(line({ error: { message: clientId } })).toContain(
    shown.startsWith('"') ? `error=${shown}` : `error="${shown}"`,
  );
});

/** A logger as the command has it, and the lines that it has written. */
function written(format: "json" | "text"): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const logger = createLogger({ level: "debug", format }, (bytes, at) => {
    const text = Buffer.from(bytes.subarray(at)).toString();
    lines.push(...text.split(/(?<=\n)/));
    return bytes.length - at;
  });
  return { logger, lines };
}

test("warnings and errors are written before the call returns, after what came before them; the rest soon", async () => {
  const { logger, lines } = written("json");
  const messages = (): string[] => lines.map((text) => (JSON.parse(text) as { msg: string }).msg);
  logger.info({}, "one");
  logger.debug({}, "two");
  expect(lines).toEqual([]);
  logger.child({ plugin: "theirs" }).warn({}, "three");
  expect(messages()).toEqual(["one", "two", "three"]);
  logger.info({}, "four");
  await expect.poll(messages).toEqual(["one", "two", "three", "four"]);
});

test("the time of a line is that of the clock, to the millisecond", () => {
  const { logger, lines } = written("json");
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 0, 2, 3, 4, 5, 6) });
  onTestFinished(() => void vi.useRealTimers());
  for (const after of [0, 0, 1]) {
    vi.setSystemTime(Date.now() + after);
    logger.warn({}, "now");
  }
  const times = lines.map((text) => (JSON.parse(text) as { time: string }).time);
  expect(times).toEqual(["2026-01-02T03:04:05.006Z", "2026-01-02T03:04:05.006Z", "2026-01-02T03:04:05.007Z"]);
});

describe("an error in the log has its message and its stack", () => {
  const cause = new Error("the disk is on fire");
  const error = new Error("not saved", { cause });

  test.each(["json", "text"] as const)("%s", (format) => {
    const { logger, lines } = written(format);
    logger.error({ err: error }, "it failed");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[^\n]+\n$/);
    for (const part of ["not saved", "the disk is on fire", "logging.test.ts:"]) expect(lines[0]).toContain(part);
  });

  test("also where a plugin of somebody else calls it `error`, and through a child", () => {
    const { logger, lines } = written("json");
    const fields = { error } as object;
    logger.child({ plugin: "theirs" }).warn(fields, "it failed");
    const line = JSON.parse(lines[0] ?? "") as Record<string, Record<string, string>>;
    expect(line["error"]?.["message"]).toContain("not saved");
    expect(line["error"]?.["stack"]).toContain("logging.test.ts:");
  });

  test("of the broker itself: a hook of a plugin that throws", async () => {
    const { logger, lines } = written("json");
    const bad = definePlugin({
      name: "bad",
      hooks: () => ({
        brokerStarted: () => {
          throw error;
        },
      }),
    })();
    const broker = createBroker({ listeners: {}, plugins: [bad], logger, sys: { intervalSeconds: 0 } });
    await broker.start();
    await broker.shutdown();
    const line = lines.map((text) => JSON.parse(text) as Record<string, unknown>).find(({ level }) => level === 50);
    expect(line).toMatchObject({ plugin: "bad", hook: "brokerStarted" });
    expect(line?.["err"]).toMatchObject({
      message: expect.stringContaining("not saved") as string,
      stack: expect.stringContaining("logging.test.ts:") as string,
    });
  });

  test("a field named `error` does not compile: loggers would write {}", () => {
    const { logger } = written("json");
    // @ts-expect-error it is `err`
    logger.debug({ error }, "it failed");
  });
});
