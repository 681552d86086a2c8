// A client that reconnects after every end of its connection until it is told to stay away.
import type { ConnackPacket, ConnectPacket, Packet, ProtocolVersion } from "@wrenmq/codec";
import type { Cancel, World } from "../world.ts";
import type { ClientLink } from "./link.ts";

/** Milliseconds between two attempts. */
const RETRY = 8;

export abstract class Client {
  readonly clientId: string;
  readonly version: ProtocolVersion;
  protected readonly world: World;
  /** CONNACK has arrived. */
  protected connected: boolean = false;
  protected link: ClientLink | undefined = undefined;
  #wanted = false;
  #timer: Cancel | undefined;

  constructor(world: World, name: string, version: ProtocolVersion) {
    this.world = world;
    this.clientId = world.clientId(name);
    this.version = version;
  }

  get isConnected(): boolean {
    return this.connected;
  }

  protected abstract connectPacket(): ConnectPacket;
  protected abstract accepted(packet: ConnackPacket): void;
  protected abstract received(packet: Packet): void;
  /** The connection is lost; `hadConnack`: it was accepted before. */
  protected lost(_hadConnack: boolean): void {}

  come(): void {
    this.#wanted = true;
    this.#dial();
  }

  /** Stays away, without DISCONNECT. */
  leave(): void {
    this.#wanted = false;
    this.#timer?.();
    this.link?.destroy();
  }

  /** Cuts the connection; another one is made. */
  cut(): void {
    this.link?.destroy();
  }

  /** Sends DISCONNECT and stays away; the broker closes the connection. */
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
    const link = this.world.dial(
      port,
      this.clientId,
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
    this.#timer?.();
    this.#timer = this.world.setTimer(() => this.#dial(), RETRY);
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

/** CONNECT of a session that never expires. */
export function lastingConnect(
  clientId: string,
  protocolVersion: ProtocolVersion,
  receiveMaximum: number,
): ConnectPacket {
  const packet: ConnectPacket = { type: "connect", protocolVersion, clientId, cleanStart: false, keepAlive: 0 };
  if (protocolVersion === 5) packet.properties = { sessionExpiryInterval: 0xffff_ffff, receiveMaximum };
  return packet;
}
