import { expect, test } from "vitest";
import { readable } from "../src/logging.ts";

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
