// A handle without the system, to run the code of raw connections (raw-tcp.ts) without sockets: it counts and drops
// what is written to it, and delivers the bytes of `receive` as if they had been read.
import { type Endpoint, type Handle, type Internals, nodeInternals, type Request } from "./raw-handle.ts";

export class SimulatedHandle implements Handle {
  onread!: (this: this) => void;
  /** Number of bytes that were written. */
  written = 0;
  private readonly node: Internals;
  private window = new Uint8Array(0);

  constructor(node: Internals) {
    this.node = node;
  }

  /** Delivers bytes as if the peer had sent them. */
  receive(bytes: Uint8Array): void {
    const { window } = this;
    for (let start = 0; start < bytes.length; start += window.length) {
      const part = bytes.subarray(start, start + window.length);
      window.set(part);
      this.answer(part.length);
    }
  }

  /** Delivers the end of the stream. */
  receiveEnd(): void {
    this.answer(this.node.eof);
  }

  useUserBuffer(buffer: Uint8Array<ArrayBuffer>): void {
    this.window = buffer;
  }

  readStart(): number {
    return 0;
  }

  readStop(): number {
    return 0;
  }

  writeBuffer(_request: object, bytes: Uint8Array): number {
    const { state, writeIsAsync } = this.node;
    state[writeIsAsync] = 0;
    this.written += bytes.length;
    return 0;
  }

  writev(request: object, pieces: readonly Uint8Array[]): number {
    for (const piece of pieces) this.writeBuffer(request, piece);
    return 0;
  }

  shutdown(request: Request<unknown>): number {
    setImmediate(() => request.oncomplete?.(0));
    return 0;
  }

  close(done: (this: this) => void): void {
    setImmediate(() => done.call(this));
  }

  getpeername(into: Endpoint): number {
    into.address = "127.0.0.1";
    into.port = 1;
    into.family = "IPv4";
    return 0;
  }

  private answer(result: number): void {
    const { state, readResult } = this.node;
    state[readResult] = result;
    this.onread();
  }
}

/** @returns undefined: there are no raw connections in this process */
export function simulatedHandles(): (() => SimulatedHandle) | undefined {
  const node = nodeInternals();
  return node && (() => new SimulatedHandle(node));
}
