// Changes a set of listeners to another, all or nothing: what can fail is done first, while everything goes on as
// before. A listener whose type and address stay keeps its clients, and is changed in place as far as possible. A new
// one listens before an old one is closed; only where both need the same port the old one stops accepting first, and
// resumes if the new one fails.
import {
  isSameSocket,
  type ListenerConfig,
  ListenerError,
  type Listener as TransportListener,
  withPort,
} from "@wrenmq/transport";
import type { Clock } from "../runtime/clock.ts";
import type { Listener } from "./listener.ts";
import type { ListenerOptions } from "./listener-options.ts";

export interface RunningListener {
  readonly scope: Listener;
  /** undefined for `external`. */
  readonly listener: TransportListener | undefined;
  options: ListenerOptions;
  /** false: new connections are refused, as the plugins that decide may not be running yet. */
  isOpen: boolean;
}

/** What a change needs of the present listeners. */
export interface ListenerHost {
  readonly running: ReadonlyMap<string, RunningListener>;
  readonly clock: Clock;
  /** Do other processes have the same addresses, and release them at the same time? */
  readonly isShared: boolean;
  /** Makes a listener that does not listen yet. `scope`: that of a listener that stays. */
  make(name: string, options: ListenerOptions, scope?: Listener): RunningListener;
}

/** The result of a change. */
export interface ChangedListeners {
  /** Listeners that are new, or have another socket. */
  readonly opened: ReadonlyMap<string, RunningListener>;
  /** Listeners that are gone or were replaced by one of the same name: their clients are to be disconnected. */
  readonly closed: readonly (readonly [name: string, running: RunningListener])[];
  /** Does the set of deciding plugins differ for any listener? */
  readonly rulesDiffer: boolean;
}

/**
 * Milliseconds between two attempts to listen at an address that other processes are about to release, and the number
 * of attempts.
 */
const PAUSE = 50;
const ATTEMPTS = 100;

interface Opening {
  readonly name: string;
  readonly made: RunningListener;
}

export class ListenerChange {
  readonly #host: ListenerHost;
  readonly #wanted: Readonly<Record<string, ListenerOptions>>;
  /** Functions that apply each listener's own changes. */
  readonly #inPlace: (() => void)[] = [];
  readonly #opened = new Map<string, RunningListener>();
  readonly #closing = new Map<string, RunningListener>();
  /** Sockets that are replaced by others for the same clients. */
  readonly #reopening = new Map<string, RunningListener>();
  /** Listeners that have stopped accepting. */
  #paused: RunningListener[] = [];

  private constructor(host: ListenerHost, wanted: Readonly<Record<string, ListenerOptions>>) {
    this.#host = host;
    this.#wanted = wanted;
  }

  /** Rejects with a ListenerError; nothing has changed then. */
  static async prepare(host: ListenerHost, wanted: Readonly<Record<string, ListenerOptions>>): Promise<ListenerChange> {
    const change = new ListenerChange(host, wanted);
    try {
      await change.#prepare();
    } catch (error) {
      await change.abort();
      throw error;
    }
    return change;
  }

  /** Applies the change. Cannot fail; the caller closes what is to be closed. */
  commit(): ChangedListeners {
    let rulesDiffer = false;
    for (const commit of this.#inPlace) commit();
    for (const [name, options] of Object.entries(this.#wanted)) {
      const running = this.#opened.get(name) ?? this.#host.running.get(name);
      if (running === undefined) continue;
      rulesDiffer ||= String(running.options.plugins) !== String(options.plugins);
      running.options = options;
    }
    for (const { listener } of this.#reopening.values()) void listener?.close();
    return { opened: this.#opened, closed: [...this.#closing], rulesDiffer };
  }

  /** Undoes the preparation. Never rejects. */
  async abort(): Promise<void> {
    for (const { listener } of this.#opened.values()) await listener?.close();
    for (const { scope, listener } of this.#paused) {
      try {
        await this.#listen(listener, ATTEMPTS);
      } catch (error) {
        // The port was taken meanwhile.
        scope.handshakeFailures.report(error as Error);
      }
    }
    this.#paused = [];
  }

  async #prepare(): Promise<void> {
    const { running } = this.#host;
    for (const [name, one] of running) if (this.#wanted[name] === undefined) this.#closing.set(name, one);
    const opening: Opening[] = [];
    for (const [name, options] of Object.entries(this.#wanted)) {
      const earlier = running.get(name);
      if (earlier !== undefined && isSamePlace(earlier.options, options)) {
        if (await this.#changesInPlace(earlier, options)) continue;
        this.#reopening.set(name, earlier);
        opening.push({ name, made: this.#host.make(name, withPort(options, earlier.listener?.port), earlier.scope) });
      } else {
        if (earlier !== undefined) this.#closing.set(name, earlier);
        opening.push({ name, made: this.#host.make(name, options) });
      }
    }
    const waiting: Opening[] = [];
    for (const one of opening) if (!(await this.#open(one, 1, this.#hasRival(one)))) waiting.push(one);
    await this.#pauseRivals(waiting);
    // Other processes with the same listeners release the address too, but not at the same moment.
    for (const one of waiting) await this.#open(one, this.#host.isShared ? ATTEMPTS : 1, false);
  }

  /** @returns false: it needs another socket on its address */
  async #changesInPlace(earlier: RunningListener, options: ListenerOptions): Promise<boolean> {
    if (options.type === "external" || earlier.listener === undefined) return true;
    if (!isSameSocket(earlier.options as ListenerConfig, options)) return false;
    this.#inPlace.push(await earlier.listener.prepare(options));
    return true;
  }

  /** @returns false: the address is in use by one of our listeners that will be closed */
  async #open({ name, made }: Opening, attempts: number, hasRival: boolean): Promise<boolean> {
    try {
      await this.#listen(made.listener, attempts);
    } catch (error) {
      if (hasRival && isInUse(error)) return false;
      throw error;
    }
    this.#opened.set(name, made);
    return true;
  }

  #rivalsOf({ made: { listener, options } }: Opening): RunningListener[] {
    const leaving = [...this.#closing.values(), ...this.#reopening.values()];
    return leaving.filter((old) => {
      if (old.listener === undefined || listener === undefined) return false;
      if (options.type === "unix") return old.options.type === "unix" && old.options.path === options.path;
      return listener.port !== undefined && listener.port !== 0 && old.listener.port === listener.port;
    });
  }

  #hasRival(opening: Opening): boolean {
    return this.#rivalsOf(opening).length > 0;
  }

  async #pauseRivals(waiting: readonly Opening[]): Promise<void> {
    for (const rival of new Set(waiting.flatMap((one) => this.#rivalsOf(one)))) {
      this.#paused.push(rival);
      await rival.listener?.close();
    }
  }

  async #listen(listener: TransportListener | undefined, attempts: number): Promise<void> {
    for (let left = attempts - 1; ; left--) {
      try {
        await listener?.listen();
        return;
      } catch (error) {
        if (left === 0 || !isInUse(error)) throw error;
      }
      const { clock } = this.#host;
      await new Promise<void>((resolve) => clock.at(clock.now() + PAUSE, resolve));
    }
  }
}

function isInUse(error: unknown): boolean {
  return error instanceof ListenerError && error.code === "ERR_LISTENER_IN_USE";
}

/** Do both have the same address for clients? */
function isSamePlace(one: ListenerOptions, other: ListenerOptions): boolean {
  const keys = ["type", "host", "port", "path", "ipv6Only"] as const;
  const value = (options: ListenerOptions, key: (typeof keys)[number]): unknown =>
    (options as Partial<Record<(typeof keys)[number], unknown>>)[key];
  return keys.every((key) => value(one, key) === value(other, key));
}
