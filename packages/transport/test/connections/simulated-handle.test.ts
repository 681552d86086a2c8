import { simulatedHandles, socketAdopter } from "@wrenmq/transport";
import { expect, test } from "vitest";

const newHandle = simulatedHandles();

function connect(windowLength: number) {
  const memory = new Uint8Array(100);
  const adopt = socketAdopter({
    transport: "tcp",
    readBuffer: { bytes: memory, start: 10, length: windowLength },
  });
  const handle = newHandle?.();
  if (handle === undefined) throw new Error("no raw connections in this process");
  const heard: string[] = [];
  const connection = adopt(handle);
  const closed = new Promise<void>((resolve) => {
    connection.attach({
      data: (bytes, start, end) => heard.push(Buffer.from(bytes.subarray(start, end)).toString()),
      drain: () => heard.push("drain"),
      closed: (error) => {
        heard.push(`closed ${error?.message ?? "well"}`);
        resolve();
      },
    });
  });
  return { handle, connection, heard, closed };
}

test("what it receives is read in pieces of the buffer, what is written is counted", () => {
  const { handle, connection, heard } = connect(4);
  handle.receive(Buffer.from("0123456789"));
  expect(heard).toEqual(["0123", "4567", "89"]);
  expect(connection.write(new Uint8Array(1_000))).toBe(true);
  connection.write(new Uint8Array(24));
  expect(handle.written).toBe(1_024);
  expect(connection.info).toMatchObject({ transport: "tcp", remoteAddress: "127.0.0.1", remotePort: 1 });
});

test("the other side ends first", async () => {
  const { handle, heard, closed } = connect(4);
  handle.receiveEnd();
  await closed;
  expect(heard).toEqual(["closed well"]);
});

test("this side ends first", async () => {
  const { handle, connection, heard, closed } = connect(4);
  connection.end();
  handle.receiveEnd();
  await closed;
  expect(heard).toEqual(["closed well"]);
});
