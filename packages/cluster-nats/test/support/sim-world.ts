// Time and a bus that loses, delays, repeats and cuts, all decided by one seed.
import type { Clock, MeshMember } from "@wrenmq/cluster";
import type { LinkBus } from "../../src/index.ts";

/** mulberry32: numbers from 0 to 1. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

interface Task {
  readonly time: number;
  readonly run: () => void;
  isCancelled: boolean;
}

export class SimTime implements Clock {
  #now = 0;
  #tasks: Task[] = [];

  now(): number {
    return this.#now;
  }

  at(time: number, run: () => void): () => void {
    const task: Task = { time: Math.max(time, this.#now), run, isCancelled: false };
    let index = this.#tasks.length;
    while (index > 0 && (this.#tasks[index - 1] as Task).time > task.time) index--;
    this.#tasks.splice(index, 0, task);
    return () => {
      task.isCancelled = true;
    };
  }

  /** Runs what is due, with a turn for promises after each task. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      await turn();
      const task = this.#tasks[0];
      if (task === undefined || task.time > end) break;
      this.#tasks.shift();
      this.#now = task.time;
      if (!task.isCancelled) task.run();
    }
    this.#now = end;
  }

  /** Advances until it is true. */
  async until(isTrue: () => boolean, patience = 600_000): Promise<void> {
    const end = this.#now + patience;
    while (!isTrue()) {
      if (this.#now > end) throw new Error("it does not become true");
      await this.advance(10);
    }
  }
}

/** Enough microtasks for the promises of one event. */
async function turn(): Promise<void> {
  for (let count = 0; count < 4; count++) await Promise.resolve();
}

export interface Faults {
  /** Probabilities. */
  readonly lost: number;
  readonly repeated: number;
  /** Milliseconds at most; messages overtake each other. */
  readonly delay: number;
}

export class SimBus {
  readonly #time: SimTime;
  readonly #random: () => number;
  readonly #ports = new Map<number, Port>();
  faults: Faults;

  constructor(time: SimTime, next: () => number, faults: Faults) {
    this.#time = time;
    this.#random = next;
    this.faults = faults;
  }

  port(member: MeshMember, hear: (bytes: Uint8Array) => void, isBack: () => void): LinkBus {
    const port: Port = { member, hear, isBack, isThere: true };
    this.#ports.set(member.id, port);
    const send = (to: MeshMember, bytes: Uint8Array): void => this.#send(port, to, bytes);
    return {
      longest: 1000,
      get isThere() {
        return port.isThere;
      },
      send,
    };
  }

  cut(id: number, milliseconds: number): void {
    const port = this.#ports.get(id) as Port;
    if (!port.isThere) return;
    port.isThere = false;
    this.#time.at(this.#time.now() + milliseconds, () => {
      port.isThere = true;
      port.isBack();
    });
  }

  #send(from: Port, to: MeshMember, bytes: Uint8Array): void {
    const { lost, repeated, delay } = this.faults;
    do {
      if (!from.isThere || this.#random() < lost) continue;
      const copy = bytes.slice();
      this.#time.at(this.#time.now() + this.#random() * delay, () => {
        const port = this.#ports.get(to.id);
        if (port?.isThere === true && port.member.run === to.run) port.hear(copy);
      });
    } while (this.#random() < repeated);
  }
}

interface Port {
  readonly member: MeshMember;
  readonly hear: (bytes: Uint8Array) => void;
  readonly isBack: () => void;
  isThere: boolean;
}
