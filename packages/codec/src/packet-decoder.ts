// A stream of chunks, cut anywhere, to packets: FrameReader and decodeBody put together for callers without a hot path.
import { decodeBody } from "./decode.ts";
import { FrameReader } from "./frame-reader.ts";
import type { Packet, ProtocolVersion } from "./packet.ts";

export interface PacketDecoderOptions {
  /** MQTT version of the connection. Default 4, until a CONNECT contains another one: servers leave it out. */
  version?: ProtocolVersion;
  /** Bytes, fixed header included; a longer packet is refused as soon as its length is known. Default 268,435,460. */
  maxPacketSize?: number;
}

export class PacketDecoder {
  /** Which version packets are decoded by; a CONNECT changes it. */
  version: ProtocolVersion;
  readonly #frames: FrameReader;

  constructor(options: PacketDecoderOptions = {}) {
    this.version = options.version ?? 4;
    this.#frames = new FrameReader(options.maxPacketSize);
  }

  /** Bytes that are kept until the rest of their packet arrives. */
  get pending(): number {
    return this.#frames.pending;
  }

  /**
   * The packets that are complete with this chunk. Payloads may be views of `chunk`, which is not to be changed as long
   * as they are needed.
   * @throws MqttError when the peer broke the protocol; the stream is of no use after that
   */
  push(chunk: Uint8Array): Packet[] {
    const frames = this.#frames;
    const packets: Packet[] = [];
    frames.push(chunk, 0, chunk.length);
    while (frames.next()) {
      const { header, bytes, bodyStart, bodyEnd } = frames;
      // The reader's own buffer will be written to again: what lies there is copied before views of it get out.
      const packet =
        bytes === chunk
          ? decodeBody(header, bytes, bodyStart, bodyEnd, this.version)
          : decodeBody(header, bytes.slice(bodyStart, bodyEnd), 0, bodyEnd - bodyStart, this.version);
      if (packet.type === "connect") this.version = packet.protocolVersion;
      packets.push(packet);
    }
    return packets;
  }
}
