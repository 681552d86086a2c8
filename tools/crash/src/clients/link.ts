// One connection to the broker: packets out, packets in, and its end. It knows no sessions.
import { connect, type Socket } from "node:net";
import { encode, type Packet, PacketDecoder, type ProtocolVersion } from "@wrenmq/codec";

export interface LinkOwner {
  packet(packet: Packet): void;
  /** Called once. Nothing comes after it. */
  closed(): void;
  /** The broker has sent something that is not MQTT. */
  broken(error: unknown): void;
}

/** A client's connection, whatever carries it. */
export interface ClientLink {
  send(packet: Packet): void;
  /** Ends the connection without a word; `closed` is called before it returns. */
  destroy(): void;
}

export class Link implements ClientLink {
  readonly #version: ProtocolVersion;
  readonly #socket: Socket;
  #owner: LinkOwner | undefined;

  constructor(port: number, version: ProtocolVersion, owner: LinkOwner, opened: () => void, host = "127.0.0.1") {
    this.#version = version;
    this.#owner = owner;
    const decoder = new PacketDecoder({ version });
    this.#socket = connect({ host, port, noDelay: true }, opened);
    this.#socket.on("error", () => {}); // "close" follows
    this.#socket.on("close", () => this.#end());
    this.#socket.on("data", (chunk) => {
      try {
        for (const packet of decoder.push(chunk)) this.#owner?.packet(packet);
      } catch (error) {
        this.#owner?.broken(error);
        this.destroy();
      }
    });
  }

  send(packet: Packet): void {
    this.#socket.write(encode(packet, this.#version));
  }

  /** Closes the connection without DISCONNECT; `closed` is called before it returns. */
  destroy(): void {
    this.#socket.destroy();
    this.#end();
  }

  #end(): void {
    const owner = this.#owner;
    this.#owner = undefined;
    owner?.closed();
  }
}
