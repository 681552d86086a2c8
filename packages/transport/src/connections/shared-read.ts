// Reads all sockets into one buffer, without an allocation per read, where raw connections (raw-tcp.ts) are impossible
// or switched off. Uses few internals of Node (`_handle`, and the `handle` option of `net.Socket`); where they are
// missing it returns undefined, and the caller reads through the "data" event. Safe because reads are synchronous on
// POSIX: no other read happens between the system filling the buffer and the handler. On Windows each pending read
// needs a buffer of its own.
import { Socket, type SocketConstructorOpts } from "node:net";
import { connectionOf, type StreamConnection } from "./stream-connection.ts";

/**
 * A window of a larger array: handlers get the whole `bytes`, so that they can copy within it. Never resize or transfer
 * its memory.
 */
export interface ReadBuffer {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly length: number;
}

interface Handle {
  useUserBuffer?: unknown;
}
type WithHandle = Socket & { _handle?: Handle | null };

/** Takes a socket that has not begun to read, and returns a socket in its place that reads into the shared buffer. */
export type TakeSocket = (accepted: Socket) => Socket | undefined;

function goOn(connection: StreamConnection): void {
  connection.goOn();
}

/**
 * An ordinary socket of a handle that was read into the shared buffer: it still is, as a handle cannot be told otherwise,
 * and the socket's "data" are copies. It is paused.
 */
export function socketOver(handle: object, { bytes, start, length }: ReadBuffer): Socket {
  const buffer = bytes.subarray(start, start + length);
  const onread = {
    buffer,
    callback(this: Socket, count: number): boolean {
      return this.push(Buffer.from(buffer.subarray(0, count)));
    },
  };
  return new Socket({ handle, onread, allowHalfOpen: true, pauseOnCreate: true } as SocketConstructorOpts);
}

/** @returns undefined: not possible on this platform */
export function sharedRead(buffer: ReadBuffer | undefined): TakeSocket | undefined {
  if (buffer === undefined || process.platform === "win32") return undefined;
  const { bytes, start, length } = buffer;
  const onread = {
    buffer: bytes.subarray(start, start + length),
    callback(this: Socket, count: number): boolean {
      const connection = connectionOf(this);
      connection?.received(bytes, start, start + count);
      if (count < length) return true;
      // Read on in the next turn: libuv would read up to 32 times from this socket before it serves others.
      if (connection !== undefined) setImmediate(goOn, connection);
      return false;
    },
  };
  return (accepted) => {
    const shell = accepted as WithHandle;
    const handle = shell._handle;
    if (typeof handle?.useUserBuffer !== "function") return undefined;
    // A high-water mark of one byte: see StreamConnection.write.
    const options = { handle, onread, allowHalfOpen: true, pauseOnCreate: true, writableHighWaterMark: 1 };
    const socket = new Socket(options as SocketConstructorOpts);
    // Without a handle, destroying the first socket only removes it from its server's count.
    shell._handle = null;
    shell.destroy();
    return socket;
  };
}
