import fc from "fast-check";
import { expect, test } from "vitest";
import { LogFile } from "../src/log-file.ts";

interface Disk {
  room: number;
}

interface Written {
  /** Writes a line, and lets the time pass. */
  readonly line: (line: string) => void;
  readonly log: LogFile;
  readonly passTime: () => void;
  readonly text: () => string;
  readonly writes: number[];
}

/** A log on a disk with so many bytes of room. */
function logOn(disk: Disk): Written {
  let text = "";
  const writes: number[] = [];
  const due: (() => void)[] = [];
  const writeBytes = (bytes: Uint8Array, at: number): number => {
    const part = bytes.subarray(at, at + disk.room);
    if (part.length === 0) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    disk.room -= part.length;
    text += Buffer.from(part).toString();
    writes.push(part.length);
    return part.length;
  };
  const log = new LogFile((lost, code) => `${lost} lost: ${code}\n`, {
    writeBytes,
    later: (flush) => due.push(flush),
  });
  const passTime = (): void => {
    for (const flush of due.splice(0)) flush();
  };
  const line = (given: string): void => {
    log.write(given);
    passTime();
  };
  return { log, line, passTime, text: () => text, writes };
}

test("lines of a few milliseconds are one write; what follows is another", () => {
  const { log, passTime, text, writes } = logOn({ room: 1_000 });
  log.write("first\n");
  log.write("second\n");
  expect(text()).toBe("");
  passTime();
  expect(text()).toBe("first\nsecond\n");
  log.write("third\n");
  log.flush();
  expect(text()).toBe("first\nsecond\nthird\n");
  passTime();
  expect(writes).toEqual([13, 6]);
});

test("a pipe that several processes share gets whole lines: no write of short lines is longer than 4096 bytes", () => {
  const { log, passTime, text, writes } = logOn({ room: 1_000_000 });
  const lines = Array.from({ length: 200 }, (_, number) => `${number} ${"ü".repeat(number)}\n`);
  for (const line of lines) log.write(line);
  log.write(`${"x".repeat(10_000)}\n`);
  log.write("last\n");
  passTime();
  expect(text()).toBe(`${lines.join("")}${"x".repeat(10_000)}\nlast\n`);
  expect(writes.filter((size) => size > 4_096)).toEqual([10_001]);
});

test("whatever the disk does, lines are whole or counted, and in order", () => {
  const room = fc.integer({ min: 0, max: 40 });
  const step = fc.record({ lines: fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 4 }), room });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const disk = { room: 0 };
      const { log, passTime, line, text } = logOn(disk);
      let number = 0;
      for (const { lines, room: more } of steps) {
        disk.room += more;
        for (const length of lines) log.write(`<${number++}${"x".repeat(length)}>\n`);
        passTime();
      }
      disk.room = 1_000_000;
      line(`<${number++}>\n`);
      let next = 0;
      for (const one of text().trimEnd().split("\n")) {
        const whole = /^<(\d+)x*>$/.exec(one);
        const gap = /^(\d+) lost: ENOSPC$/.exec(one);
        if (whole !== null) expect(Number(whole[1])).toBe(next++);
        if (gap !== null) next += Number(gap[1]);
      }
      expect(next).toBe(number);
    }),
  );
});

test("a full disk costs lines, and they are told of when there is room again", () => {
  const disk = { room: 6 };
  const { line: write, text } = logOn(disk);
  for (const line of ["first\n", "second\n", "third\n"]) write(line);
  expect(text()).toBe("first\n");
  disk.room = 1_000;
  write("fourth\n");
  write("fifth\n");
  expect(text()).toBe("first\n2 lost: ENOSPC\nfourth\nfifth\n");
});

test("what was written in part is ended before another line begins", () => {
  const disk = { room: 8 };
  const { line: write, text } = logOn(disk);
  write("first\n");
  write("second\n");
  // Room for a part of what says so, and then for all.
  disk.room = 4;
  write("third\n");
  disk.room = 1_000;
  write("fourth\n");
  expect(text()).toBe("first\nse\n1 l\n2 lost: ENOSPC\nfourth\n");
});

test("room for the line about the gap, but not for the next one", () => {
  const disk = { room: 0 };
  const { line: write, text } = logOn(disk);
  write("first\n");
  disk.room = "1 lost: ENOSPC\n".length;
  write("second\n");
  disk.room = 1_000;
  write("third\n");
  expect(text()).toBe("1 lost: ENOSPC\n1 lost: ENOSPC\nthird\n");
});
