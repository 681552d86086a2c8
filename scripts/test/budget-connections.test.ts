// What a client that is connected and silent costs: with a million of them every kilobyte is a gigabyte.
import { expect, test } from "vitest";
import { bytesPerIdleConnection } from "../../tools/bench/budget/measure.mjs";

test("an idle connection with its session keeps at most 3,000 bytes of heap and external memory", async () => {
  const { bytes, connections } = await bytesPerIdleConnection("tcp", 1_000);
  expect(connections).toBe(1_100);
  // Measured: 2,420. What the system and libuv hold of a socket is not in it.
  expect(bytes).toBeGreaterThan(500);
  expect(bytes).toBeLessThanOrEqual(3_000);
});

test("over WebSocket at most 4,000, the request and its headers among them", async () => {
  const { bytes, connections } = await bytesPerIdleConnection("ws", 1_000);
  expect(connections).toBe(1_100);
  // Measured: 3,250; on a socket 4,800, and then what the socket has outside of the heap.
  expect(bytes).toBeGreaterThan(500);
  expect(bytes).toBeLessThanOrEqual(4_000);
});

test("over TLS at most 3,300: it has no sockets and no streams", async () => {
  const { bytes, connections } = await bytesPerIdleConnection("tls", 500);
  expect(connections).toBe(600);
  // Measured: 2,630; on Node's two sockets 6,820. OpenSSL's own memory is not in it.
  expect(bytes).toBeGreaterThan(500);
  expect(bytes).toBeLessThanOrEqual(3_300);
});

test("the CONNECT packet, with its password, is not kept for as long as the connection lasts", async () => {
  const { bytes } = await bytesPerIdleConnection("tcp", 300, 16_384);
  expect(bytes).toBeLessThanOrEqual(4_000);
});
