// Reads of all sockets into one buffer, no allocation per read: for where raw connections (raw-tcp.ts) are impossible or
// unwanted. Touches little of Node's internals (`_handle`, and the `handle` option of `net.Socket`); where they are
// missing it answers undefined, and the caller reads through the "data" event instead. Safe because reads are
// synchronous on POSIX: between the system filling the buffer and our handler there is no other read. Not so on
// Windows, where each pending read owns its buffer.
import { Socket, type SocketConstructorOpts } from "node:net";
import { connectionOf, type StreamConnection } from "./stream-connection.ts";

/** A window of a larger array: handlers get the whole `bytes`, so that they can copy within it. Never resize or transfer its memory. */
export interface ReadBuffer {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly length: number;
}

interface Handle {
  useUserBuffer?: unknown;
}
type WithHandle = Socket & { _handle?: Handle | null };

/** Takes a socket that has not begun to read and returns one in its place that reads into the shared buffer. */
export type TakeSocket = (accepted: Socket) => Socket | undefined;

function goOn(connection: StreamConnection): void {
  connection.goOn();
}

/** undefined: this platform cannot. */
export function sharedRead(buffer: ReadBuffer | undefined): TakeSocket | undefined {
  if (buffer === undefined || process.platform === "win32") return undefined;
  const { bytes, start, length } = buffer;
  const onread = {
    buffer: bytes.subarray(start, start + length),
    callback(this: Socket, count: number): boolean {
      const connection = connectionOf(this);
      connection?.received(bytes, start, start + count);
      if (count < length) return true;
      // There is more, and libuv would read on from this socket, up to 32 times: first it is the others' turn.
      if (connection !== undefined) setImmediate(goOn, connection);
      return false;
    },
  };
  return (accepted) => {
    const shell = accepted as WithHandle;
    const handle = shell._handle;
    if (typeof handle?.useUserBuffer !== "function") return undefined;
    // Mark of one byte: see StreamConnection.write.
    const options = { handle, onread, allowHalfOpen: true, pauseOnCreate: true, writableHighWaterMark: 1 };
    const socket = new Socket(options as SocketConstructorOpts);
    // Without a handle, destroying the first socket only takes it off its server's books.
    shell._handle = null;
    shell.destroy();
    return socket;
  };
}
