// Takes the place of @wrenmq/transport in a bundle, with another createListener: connections without sockets whose bytes
// arrive in the read area of the broker's arena, as those of TCP do. What happens between two sockets is left: nothing
// else can be measured then.
export * from "@wrenmq/transport";

let listening;
let lastId = 0;

export function createListener(_config, accept, { readBuffer }) {
  listening = { accept, readBuffer };
  return { address: "memory", port: undefined, connections: 0, async listen() {}, async close() {} };
}

export class Peer {
  id = ++lastId;
  info = { transport: "tcp", remoteAddress: "127.0.0.1", remotePort: 1 };
  bytesWritten = 0;
  /** Called with what the broker writes. */
  onBytes = undefined;
  #handler;

  static connect() {
    const peer = new Peer();
    peer.#handler = listening.accept(peer);
    return peer;
  }

  /** The broker reads these bytes. */
  say(bytes) {
    const { readBuffer } = listening;
    readBuffer.bytes.set(bytes, readBuffer.start);
    this.#handler.data(readBuffer.bytes, readBuffer.start, readBuffer.start + bytes.length);
  }

  write(bytes) {
    this.bytesWritten += bytes.length;
    this.onBytes?.(bytes);
    return true;
  }

  pause() {}
  resume() {}
  end() {}
  destroy() {}
}
