// A client that reconnects after every end of its connection until it is told to stay away.
import { type ConnackPacket, type ConnectPacket, type Packet, type ProtocolVersion, ReasonCode } from "@wrenmq/codec";
import type { Cancel, World } from "../world.ts";
import type { ClientLink } from "./link.ts";

/** Milliseconds between two attempts. */
const RETRY = 8;
/** Milliseconds between PINGRESP and the next PINGREQ. */
const PING_PAUSE = 20;
/** Milliseconds after which a client that gets no PINGRESP is a problem of its own. */
export const HANGS = 300_000;

/** Reasons for which a member of a cluster ends a connection, or refuses it: the client is to come again. */
const COME_AGAIN: readonly number[] = [
  ReasonCode.ServerUnavailable,
  ReasonCode.ServerBusy,
  ReasonCode.ServerShuttingDown,
  ReasonCode.UseAnotherServer,
  ReasonCode.ServerMoved,
];

export abstract class Client {
  readonly clientId: string;
  readonly version: ProtocolVersion;
  protected readonly world: World;
  /** CONNACK has arrived. */
  protected connected: boolean = false;
  protected link: ClientLink | undefined = undefined;
  /** Round trips of PINGREQ and PINGRESP, on all connections. */
  rounds: number = 0;
  #wanted = false;
  #asks = false;
  /** `world.crashes` when the latest connection was begun. */
  #crashesAtDial = 0;
  /** `world.deaths` then, and when the session was known to be there for the last time. */
  #deathsAtDial = 0;
  #deathsAtSession = 0;
  #timer: Cancel | undefined;
  #pingTimer: Cancel | undefined;

  constructor(world: World, name: string, version: ProtocolVersion) {
    this.world = world;
    this.clientId = world.clientId(name);
    this.version = version;
  }

  get isConnected(): boolean {
    return this.connected;
  }

  /**
   * Has no process of the broker been ended since the latest connection was begun? Otherwise what was written to it may
   * never have been read, although nothing shows it: a connection is begun after a crash is over, but one to a process
   * that was killed looks open until its end arrives.
   */
  protected get metNoCrash(): boolean {
    return this.world.crashes === this.#crashesAtDial;
  }

  /** May its session have ended with a member since it was there for the last time? */
  protected get mayHaveLostSession(): boolean {
    const { losesSessions, isDying, deaths } = this.world;
    return losesSessions && (isDying || deaths !== this.#deathsAtSession);
  }

  protected abstract connectPacket(): ConnectPacket;
  protected abstract accepted(packet: ConnackPacket): void;
  protected abstract received(packet: Packet): void;
  /** The connection is lost; `hadConnack`: it was accepted before. */
  protected lost(_hadConnack: boolean): void {}
  /** PINGRESP has arrived. What the broker had to send before has arrived, too. */
  protected answered(): void {}

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

  /** Exchanges PINGREQ and PINGRESP from now on, or no more. */
  keepAsking(asks = true): void {
    const isNew = asks && !this.#asks;
    this.#asks = asks;
    if (isNew && this.connected) this.#ping();
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
    this.#crashesAtDial = this.world.crashes;
    this.#deathsAtDial = this.world.deaths;
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
          this.#pingTimer?.();
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
    if ((packet.type === "disconnect" || packet.type === "connack") && this.#isToComeAgain(packet.reasonCode)) return;
    if (packet.type === "pingresp") {
      this.rounds++;
      this.#pingTimer?.();
      this.#pingTimer = this.world.setTimer(() => this.#ping(), PING_PAUSE);
      this.answered();
    } else if (packet.type !== "connack") this.received(packet);
    else if (packet.reasonCode !== 0) this.world.problem(`${this.clientId}: refused with ${packet.reasonCode}`);
    else {
      this.connected = true;
      this.accepted(packet);
      this.#deathsAtSession = this.#deathsAtDial;
      this.#ping();
    }
  }

  #isToComeAgain(reasonCode: number): boolean {
    return this.world.isCluster && COME_AGAIN.includes(reasonCode);
  }

  #ping(): void {
    if (this.#asks) this.link?.send({ type: "pingreq" });
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
