// Runs the programs of this folder in processes of their own.
import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { promisify } from "node:util";
import { encode } from "@wrenmq/codec";
import { certificateIn } from "../src/certificate.mjs";
import { bundle } from "./bundle.mjs";

/** Megabytes of the young generation: more than a measurement allocates. */
const YOUNG = 256;

/**
 * What a message costs in heap bytes that have to be collected later.
 * @param topics "known" or "unique"
 * @param past "watched": somebody has watched everything, and does so no more
 */
export function allocationPerMessage(qos, topics = "known", past = "") {
  return runAllocation([String(qos), topics, past]);
}

/** The same by function: `[name, bytes per message]`, most first. */
export function allocationSites(qos, topics = "known") {
  return runAllocation([String(qos), topics, "sites"]);
}

function runAllocation(words) {
  return run("allocation.mjs", [`--min-semi-space-size=${YOUNG}`, `--max-semi-space-size=${YOUNG}`], words);
}

/** Bytes kept of topics: of all that came once together, and of each that came again and again. */
export function topicMemory() {
  return run("topic-memory.mjs", [], []);
}

/** A program without sockets, in a process of its own; returns what it prints. */
async function run(name, flags, words) {
  const program = await bundle(name, { "@wrenmq/transport": "memory-transport.mjs" });
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", ...flags, program.path, ...words]);
    return JSON.parse(stdout);
  } finally {
    program.remove();
  }
}

/** The request of a WebSocket client, as MQTT.js sends it. */
const UPGRADE = [
  "GET /mqtt HTTP/1.1",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Protocol: mqtt",
  "Host: 127.0.0.1:8080",
];

/** A masked binary frame of at most 65,535 bytes. */
function frame(payload) {
  const { length } = payload;
  const head = length < 126 ? [0x82, 0x80 | length] : [0x82, 0xfe, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]);
}

/** Connects a client and waits for CONNACK. */
async function idleClient(transport, port, clientId, account) {
  const socket =
    transport === "tls"
      ? connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false })
      : connect(port, "127.0.0.1");
  const packet = encode({ type: "connect", protocolVersion: 4, clientId, cleanStart: true, keepAlive: 0, ...account });
  if (transport === "ws") {
    socket.write(`${UPGRADE.join("\r\n")}\r\n\r\n`);
    await once(socket, "data");
  }
  socket.write(transport === "ws" ? frame(packet) : packet);
  await once(socket, "data");
  return socket;
}

async function idleClients(connectOne, from, to) {
  const sockets = [];
  for (let i = from; i < to; i += 50) {
    const some = Array.from({ length: Math.min(50, to - i) }, (_, n) => connectOne(`client-${i + n}`));
    sockets.push(...(await Promise.all(some)));
  }
  return sockets;
}

/**
 * Heap and external bytes that the broker keeps for a client which is connected and silent.
 * @param transport "tcp", "ws" or "tls"
 * @param passwordLength bytes of the password in its CONNECT; 0: it has none
 */
export async function bytesPerIdleConnection(transport, count, passwordLength = 0) {
  const account = passwordLength > 0 ? { username: "user", password: new Uint8Array(passwordLength) } : {};
  const program = await bundle("idle-broker.mjs");
  const folder = mkdtempSync(join(tmpdir(), "wrenmq-budget-"));
  const { cert, key } = certificateIn(folder);
  const child = fork(program.path, [cert, key], { execArgv: ["--expose-gc"] });
  const answer = () => new Promise((resolve) => child.once("message", resolve));
  const ask = () => {
    const answered = answer();
    child.send("memory");
    return answered;
  };
  try {
    const ports = await answer();
    const connectOne = (clientId) => idleClient(transport, ports[transport], clientId, account);
    // Maps and pools have grown a little then, and everything is compiled.
    const sockets = await idleClients(connectOne, 0, 100);
    const before = await ask();
    sockets.push(...(await idleClients(connectOne, 100, 100 + count)));
    const after = await ask();
    for (const socket of sockets) socket.destroy();
    return { bytes: (after.used - before.used) / count, connections: after.connections };
  } finally {
    child.disconnect();
    rmSync(folder, { recursive: true });
    program.remove();
  }
}
