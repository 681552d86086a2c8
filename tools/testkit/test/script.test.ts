import { expect, test } from "vitest";
import { type DrivenConnection, hex, MachineDriver, parseScript, play, toHex } from "../src/index.ts";

test("hex takes blanks and quoted text and refuses the rest", () => {
  expect(toHex(hex("10 0c 00 04 'MQTT' 04"))).toBe("10 0c 00 04 4d 51 54 54 04");
  expect(() => hex("1 0")).toThrow("not hex");
  expect(() => hex("xx")).toThrow("not hex");
});

test("a script says what it does not understand", () => {
  expect(() => parseScript("rx 10\nfoo")).toThrow("line 2");
  expect(() => parseScript("at 30s")).toThrow("line 1");
});

test("a script plays on the pure machine and tells the line that went wrong", () => {
  const script = (answer: string): string => `
    rx  10 0c 00 04 'MQTT' 04 02 00 00 00 00   # CONNECT
    tx  ${answer}
  `;
  const stage = () => {
    const driver = new MachineDriver();
    const connection: DrivenConnection = driver.open();
    return {
      receive: (bytes: Uint8Array) => connection.receive(bytes),
      sent: () => connection.taken(),
      pass: () => {},
      cut: () => connection.cut(),
      get isOpen() {
        return connection.isOpen;
      },
    };
  };
  play(parseScript(script("20 02 00 00")), stage());
  play(parseScript(script("20 02 00 00")), stage(), 1);
  expect(() => play(parseScript(script("20 02 01 00")), stage())).toThrow("line 3");
});
