// What the clients of one run share: the broker's address, the random series, the order of events, and what went wrong.
import { homeOf } from "@wrenmq/cluster";
import type { QoS } from "@wrenmq/codec";
import type { Random } from "./random.ts";
import { realSurroundings, type Surroundings } from "./surroundings.ts";

export type { Cancel } from "./surroundings.ts";

/** One message of a stream. Times are ticks: the order in which things happened here. */
export interface Sent {
  readonly sentAt: number;
  /** 0: not acknowledged (yet). */
  ackedAt: number;
  /** The broker said no: it may have been delivered all the same, nobody relies on it. */
  refused: boolean;
  /** It was sent again: of the time before nobody knows what the broker has answered. */
  sentAgain: boolean;
  /** For retained streams: this one clears the topic. */
  readonly clears: boolean;
}

/** The messages of one publisher to one topic, all of one QoS, numbered from 1. */
export interface Stream {
  readonly topic: string;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly log: Sent[];
}

export class World {
  readonly random: Random;
  readonly streams: Stream[] = [];
  readonly problems: string[] = [];
  /** Of clients of whom little happens and much depends: what, and when. */
  readonly story: string[] = [];
  /** Where the broker listens; undefined while it is down, from the moment before it is killed. */
  port: number | undefined = undefined;
  /** Grows with every crash. */
  crashes: number = 0;
  /** Members of a cluster turn clients away now and then, who then come to another one. */
  isCluster: boolean = false;
  /** Sessions end with the member that they are at. */
  losesSessions: boolean = false;
  /** A member of a cluster is ending, or is cut off: its sessions may end at any time, and again. */
  isDying: boolean = false;
  /** Grows when that begins, and when it is over. */
  deaths: number = 0;
  /** Called when a member has ended, or the witness of wills has lost its session: wills may be lost with it. */
  readonly onLoss: (() => void)[] = [];
  /** Publishers publish, sessions come and go. */
  running: boolean = true;
  /** Messages of which QoS the broker may refuse. */
  refuses: readonly QoS[] = [];
  /** May a crash undo what was not acknowledged, although its effects were seen? */
  forgets: boolean = false;
  acknowledged: number = 0;
  delivered: number = 0;
  redelivered: number = 0;
  readonly setTimer: Surroundings["setTimer"];
  readonly now: Surroundings["now"];
  readonly dial: Surroundings["dial"];
  readonly #workers: number;
  #named = 0;
  #ticks = 0;

  /** @param workers worker processes of the broker */
  constructor(random: Random, workers = 1, { setTimer, now, dial }: Surroundings = realSurroundings) {
    this.random = random;
    this.#workers = workers;
    this.setTimer = setTimer;
    this.now = now;
    this.dial = dial;
  }

  /** A client identifier. One after the other they are at home on each of the workers. */
  clientId(name: string): string {
    const home = this.#named++ % this.#workers;
    let clientId = name;
    for (let n = 1; homeOf(clientId, this.#workers) !== home; n++) clientId = `${name}-${n}`;
    return clientId;
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void this.setTimer(resolve, milliseconds));
  }

  tick(): number {
    return ++this.#ticks;
  }

  /** @param isDying begins it, or is it over? */
  death(isDying: boolean): void {
    this.isDying = isDying;
    this.crashes++;
    this.deaths++;
    for (const call of this.onLoss) call();
  }

  tell(text: string): void {
    this.story.push(`${this.now()} ${text}`);
  }

  problem(text: string): void {
    if (this.problems.length < 200) this.problems.push(text);
  }

  stream(topic: string, qos: 1 | 2, retain: boolean): Stream {
    const stream = { topic, qos, retain, log: [] };
    this.streams.push(stream);
    return stream;
  }
}

/** The payload of message `n`: its number, and padding that tells whether bytes were mixed up. */
export function payloadOf(topic: string, n: number, length: number): Uint8Array {
  const head = `${n} ${topic} `;
  return new TextEncoder().encode(head.padEnd(length, String.fromCharCode(97 + (n % 26))));
}

/** @returns the number; undefined: this is not what was published to the topic */
export function numberIn(topic: string, payload: Uint8Array): number | undefined {
  const text = new TextDecoder().decode(payload);
  const [word = "", of = "", rest = ""] = text.split(" ");
  const n = Number(word);
  const pad = String.fromCharCode(97 + (n % 26));
  for (const letter of rest) if (letter !== pad) return undefined;
  return of === topic && Number.isInteger(n) ? n : undefined;
}

export function effectiveQoS(stream: Stream, granted: QoS): QoS {
  return Math.min(stream.qos, granted) as QoS;
}
