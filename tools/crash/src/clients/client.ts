// A client that wants to be connected: it comes back after every end of its connection until it is told to stay away.
import type { ConnackPacket, ConnectPacket, Packet, ProtocolVersion } from "@wrenmq/codec";
import type { World } from "../world.ts";
import { Link } from "./link.ts";

/** Milliseconds between two tries. */
const RETRY = 8;

export abstract class Client {
  readonly clientId: string;
  readonly version: ProtocolVersion;
  protected readonly world: World;
  /** CONNACK has come. */
  protected connected: boolean = false;
  protected link: Link | undefined = undefined;
  #wanted = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(world: World, clientId: string, version: ProtocolVersion) {
    this.world = world;
    this.clientId = clientId;
    this.version = version;
  }

  get isConnected(): boolean {
    return this.connected;
  }

  protected abstract connectPacket(): ConnectPacket;
  protected abstract accepted(packet: ConnackPacket): void;
  protected abstract received(packet: Packet): void;
  /** The connection is gone; `hadConnack`: it was more than an attempt. */
  protected lost(_hadConnack: boolean): void {}

  come(): void {
    this.#wanted = true;
    this.#dial();
  }

  /** Stays away, without a word to the broker. */
  leave(): void {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.link?.destroy();
  }

  /** The connection breaks; another one is made. */
  cut(): void {
    this.link?.destroy();
  }

  /** Says goodbye and stays away; the broker closes the connection. */
  protected goodbye(packet: Packet): void {
    this.#wanted = false;
    this.link?.send(packet);
  }

  #dial(): void {
    if (!this.#wanted || this.link !== undefined) return;
    const { port } = this.world;
    if (port === undefined) {
      this.#retry();
      return;
    }
    const link = new Link(
      port,
      this.version,
      {
        packet: (packet) => this.#packet(packet),
        closed: () => {
          const hadConnack = this.connected;
          this.connected = false;
          this.link = undefined;
          this.lost(hadConnack);
          if (this.#wanted) this.#retry();
        },
        broken: (error) => this.world.problem(`${this.clientId}: the broker sent no MQTT: ${String(error)}`),
      },
      () => link.send(this.connectPacket()),
    );
    this.link = link;
  }

  #retry(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#dial(), RETRY);
  }

  #packet(packet: Packet): void {
    if (packet.type === "disconnect" && this.world.port === undefined) return; // the broker stops
    if (packet.type !== "connack") this.received(packet);
    else if (packet.reasonCode !== 0) this.world.problem(`${this.clientId}: refused with ${packet.reasonCode}`);
    else {
      this.connected = true;
      this.accepted(packet);
    }
  }
}

/** CONNECT of a session that lasts for ever. */
export function lastingConnect(
  clientId: string,
  protocolVersion: ProtocolVersion,
  receiveMaximum: number,
): ConnectPacket {
  const packet: ConnectPacket = { type: "connect", protocolVersion, clientId, cleanStart: false, keepAlive: 0 };
  if (protocolVersion === 5) packet.properties = { sessionExpiryInterval: 0xffff_ffff, receiveMaximum };
  return packet;
}
