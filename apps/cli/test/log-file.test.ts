import { expect, test } from "vitest";
import { LogFile } from "../src/log-file.ts";

/** A log on a disk with so many bytes of room. */
function logOn(disk: { room: number }): { readonly log: LogFile; readonly text: () => string } {
  let text = "";
  const log = new LogFile(
    (lost, code) => `${lost} lost: ${code}\n`,
    (bytes, at) => {
      const part = bytes.subarray(at, at + disk.room);
      if (part.length === 0) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      disk.room -= part.length;
      text += Buffer.from(part).toString();
      return part.length;
    },
  );
  return { log, text: () => text };
}

test("a full disk costs lines, and they are told of when there is room again", () => {
  const disk = { room: 6 };
  const { log, text } = logOn(disk);
  for (const line of ["first\n", "second\n", "third\n"]) log.write(line);
  expect(text()).toBe("first\n");
  disk.room = 1_000;
  log.write("fourth\n");
  log.write("fifth\n");
  expect(text()).toBe("first\n2 lost: ENOSPC\nfourth\nfifth\n");
});

test("what was written in part is ended before another line begins", () => {
  const disk = { room: 8 };
  const { log, text } = logOn(disk);
  log.write("first\n");
  log.write("second\n");
  // Room for a part of what says so, and then for all.
  disk.room = 4;
  log.write("third\n");
  disk.room = 1_000;
  log.write("fourth\n");
  expect(text()).toBe("first\nse\n1 l\n2 lost: ENOSPC\nfourth\n");
});

test("room for the line about the gap, but not for the next one", () => {
  const disk = { room: 0 };
  const { log, text } = logOn(disk);
  log.write("first\n");
  disk.room = "1 lost: ENOSPC\n".length;
  log.write("second\n");
  disk.room = 1_000;
  log.write("third\n");
  expect(text()).toBe("1 lost: ENOSPC\n1 lost: ENOSPC\nthird\n");
});
