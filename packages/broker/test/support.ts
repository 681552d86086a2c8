// What the tests of the broker share. The test kit is built on the broker: a dependency on its package would be a circle,
// so its sources are taken as they are.
export {
  type BrokerFixture,
  concat,
  dialTcp,
  type FixtureOptions,
  hex,
  pluginOf,
  RawClient,
  RealPace,
  SimClock,
  startBroker,
  text,
} from "../../../tools/testkit/src/index.ts";

import type { Logger } from "@wrenmq/plugin-api";
import type { SimClock } from "../../../tools/testkit/src/index.ts";

/** A promise that the test keeps when it wants to. */
export interface Held<T> {
  readonly promise: Promise<T>;
  keep(value: T): void;
  breakIt(error: Error): void;
}

export function held<T>(): Held<T> {
  let keep: (value: T) => void = () => {};
  let breakIt: (error: Error) => void = () => {};
  const promise = new Promise<T>((resolve, reject) => {
    keep = resolve;
    breakIt = reject;
  });
  return { promise, keep, breakIt };
}

/** Calls back now and in each of the next turns of the event loop. */
export function inTurns(clock: SimClock, count: number, callback: (turn: number) => void, turn = 0): void {
  callback(turn);
  if (turn < count) clock.soon(() => inTurns(clock, count, callback, turn + 1));
}

/** Remembers what was logged, by level. */
export class MemoryLogger implements Logger {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: object }[] = [];

  debug(fields: object, message: string): void {
    this.lines.push({ level: "debug", message, fields });
  }
  info(fields: object, message: string): void {
    this.lines.push({ level: "info", message, fields });
  }
  warn(fields: object, message: string): void {
    this.lines.push({ level: "warn", message, fields });
  }
  error(fields: object, message: string): void {
    this.lines.push({ level: "error", message, fields });
  }
  child(): Logger {
    return this;
  }

  get errors(): string[] {
    return this.lines.filter(({ level }) => level === "error").map(({ message }) => message);
  }
}

export const packets = (history: readonly { readonly packet: { readonly type: string } }[]): string[] =>
  history.map(({ packet }) => packet.type);
