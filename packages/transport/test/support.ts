import { type EventEmitter, once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Accept, Connection, ConnectionHandler, ReadBuffer } from "../src/index.ts";

/** What a broker gives its listeners. */
export const readBuffer: ReadBuffer = { bytes: new Uint8Array(70_000), start: 100, length: 65_536 };

/** Resolves when `condition` holds; looks again after each turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** Resolves on "close", whatever error comes before (`once` would reject). */
export function closing(emitter: EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    emitter.once("close", () => resolve());
  });
}

/** A handler that keeps what it gets. */
export class Recorder implements ConnectionHandler {
  readonly connection: Connection;
  readonly chunks: Buffer[] = [];
  drains = 0;
  /** undefined: open; then the argument of each closed(). */
  readonly closes: (Error | undefined)[] = [];

  constructor(connection: Connection) {
    this.connection = connection;
  }
  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
  get size(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }
  data(bytes: Uint8Array, start: number, end: number): void {
    this.chunks.push(Buffer.from(bytes.slice(start, end)));
  }
  drain(): void {
    this.drains += 1;
  }
  closed(error: Error | undefined): void {
    this.closes.push(error);
  }
}

/** Accepts everything with Recorders. */
export function recording(): { accept: Accept; made: Recorder[]; next(): Promise<Recorder> } {
  const made: Recorder[] = [];
  let taken = 0;
  return {
    made,
    accept(connection) {
      const recorder = new Recorder(connection);
      made.push(recorder);
      return recorder;
    },
    async next() {
      const index = taken++;
      await until(() => made.length > index);
      const recorder = made[index];
      if (recorder === undefined) throw new Error("no connection");
      return recorder;
    },
  };
}

/** Sends everything back, as a careful handler does: one write at a time, reading only when it can answer. */
export const echo: Accept = (connection) => {
  const handler: ConnectionHandler = {
    data(bytes, start, end) {
      if (!connection.write(Uint8Array.from(bytes.subarray(start, end)))) connection.pause();
    },
    drain() {
      connection.resume();
    },
    closed() {},
  };
  return handler;
};

export async function dial(port: number | undefined, host = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port: port ?? 0, host });
  await once(socket, "connect");
  return socket;
}

/** Everything the socket receives, kept as it comes. */
export function gather(stream: NodeJS.ReadableStream): { chunks: Buffer[]; size: number; bytes(): Buffer } {
  const result = { chunks: [] as Buffer[], size: 0, bytes: () => Buffer.concat(result.chunks) };
  stream.on("data", (chunk: Buffer) => {
    result.chunks.push(chunk);
    result.size += chunk.length;
  });
  return result;
}

/** Bytes that show when they are shifted or repeated. */
export function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}
