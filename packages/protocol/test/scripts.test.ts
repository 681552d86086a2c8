import { describe, expect, test } from "vitest";
import { MachineDriver, parseScript, play, type Stage } from "./support/machine.ts";
import { SCRIPTS } from "./support/scripts.ts";

function stage(): Stage {
  const driver = new MachineDriver();
  let connection = driver.open();
  return {
    receive: (bytes) => connection.receive(bytes),
    sent: () => connection.taken(),
    pass(milliseconds) {
      driver.now += milliseconds;
      const { machine } = connection;
      if (machine.keepAliveDeadline <= driver.now) machine.expire(0x8d);
    },
    get isOpen() {
      return connection.isOpen;
    },
    cut() {
      connection.cut();
      connection = driver.open();
    },
  };
}

describe.each(Object.entries(SCRIPTS))("%s", (_name, script) => {
  const steps = parseScript(script);

  test("as it is", () => {
    play(steps, stage());
  });

  test("in pieces of every size", () => {
    for (let pieces = 1; pieces <= 20; pieces++) play(steps, stage(), pieces);
  });
});

test("a cut inside any packet loses that packet alone", () => {
  const connect = "10 0d 00 04 'MQTT' 04 00 00 00 00 01 'a'";
  const publish = [0x34, 6, 0, 1, 116, 0, 5, 120];
  for (let length = 0; length <= publish.length; length++) {
    const driver = new MachineDriver();
    const first = driver.open();
    first.receive(`${connect}`);
    first.receive(Uint8Array.from(publish.slice(0, length)));
    first.cut();
    const second = driver.open();
    second.receive(`${connect}`);
    second.receive(Uint8Array.from([0x3c, ...publish.slice(1)]));
    second.receive("62 02 00 05");
    expect(second.packets().map(({ type }) => type)).toEqual(["connack", "pubrec", "pubcomp"]);
    const published = [...first.effects, ...second.effects].filter(({ what }) => what === "publish");
    expect(published.length).toBe(1);
  }
});
