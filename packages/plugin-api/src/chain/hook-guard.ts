// Calls the hooks of plugins: what a hook throws, rejects with or never answers is logged, counted and replaced with a
// given answer. Does not know what the hooks decide.

import type { MaybePromise } from "../hooks.ts";
import type { Logger } from "../plugin.ts";
import { PluginError } from "../plugin-error.ts";
import { PendingAttempt } from "./attempt.ts";

/** A hook that threw, rejected or did not answer in time. */
export interface HookFailure {
  readonly plugin: string;
  readonly hook: string;
  readonly error: unknown;
}

/** Milliseconds that a hook's promise may take. */
export const DEFAULT_HOOK_TIMEOUT = 10_000;

/** Timers for the time limit of hooks. Default: those of the platform. */
export interface HookTimers {
  setTimeout(callback: () => void, delay: number): unknown;
  clearTimeout(handle: unknown): void;
}

export interface CompileOptions {
  readonly logger: Logger;
  /** Milliseconds that a hook's promise may take; then it counts as a refusal. Default 10,000. */
  readonly hookTimeout?: number | undefined;
  /** Called for each hook that threw, rejected or exceeded its time limit; for counters. */
  readonly onError?: ((failure: HookFailure) => void) | undefined;
  /**
   * Called for each promise that a hook has returned; what it returns is called once, when the promise has settled or its
   * time is over. For measurements.
   */
  readonly onPromise?: ((plugin: string, hook: string) => (() => void) | undefined) | undefined;
  readonly timers?: HookTimers | undefined;
}

// Neither the types of the DOM nor of Node are used here; both have these two functions.
declare function setTimeout(callback: () => void, delay: number): unknown;
declare function clearTimeout(handle: unknown): void;

const HOST_TIMERS: HookTimers = {
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  clearTimeout: (handle) => clearTimeout(handle),
};

export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

export class HookGuard {
  readonly #logger: Logger;
  readonly #hookTimeout: number;
  readonly #onError: ((failure: HookFailure) => void) | undefined;
  readonly #onPromise: CompileOptions["onPromise"];
  readonly #timers: HookTimers;

  constructor(options: CompileOptions) {
    this.#logger = options.logger;
    this.#hookTimeout = options.hookTimeout ?? DEFAULT_HOOK_TIMEOUT;
    this.#onError = options.onError;
    this.#onPromise = options.onPromise;
    this.#timers = options.timers ?? HOST_TIMERS;
  }

  failed(plugin: string, hook: string, error: unknown): void {
    this.#logger.error({ plugin, hook, err: error }, "a plugin's hook failed");
    this.#onError?.({ plugin, hook, error });
  }

  /**
   * The value of the promise, or `otherwise` when it rejects, takes too long, or (which is no failure) when the attempt
   * is abandoned. Never rejects.
   */
  settle<T>(
    promise: Promise<T>,
    plugin: string,
    hook: string,
    otherwise: T,
    attempt: PendingAttempt = new PendingAttempt(),
  ): Promise<T> {
    return new Promise((resolve) => {
      let timer: unknown;
      let whenSettled = this.#onPromise?.(plugin, hook);
      const settled = (): void => {
        whenSettled?.();
        whenSettled = undefined;
      };
      const finish = (value: T): void => {
        attempt.end();
        resolve(value);
      };
      const isLate = (): void => {
        const late = `its hook "${hook}" did not answer within ${this.#hookTimeout} ms`;
        this.failed(plugin, hook, new PluginError("ERR_PLUGIN_TIMEOUT", plugin, late));
        settled();
        attempt.abandon();
      };
      const watch = {
        start: () => {
          timer = this.#timers.setTimeout(isLate, this.#hookTimeout);
        },
        stop: () => this.#timers.clearTimeout(timer),
      };
      if (attempt.abandoned) finish(otherwise);
      else attempt.time(watch, () => finish(otherwise));
      promise.then(
        (value) => {
          settled();
          if (!attempt.abandoned) finish(value);
        },
        (error: unknown) => {
          settled();
          if (attempt.abandoned) return;
          this.failed(plugin, hook, error);
          finish(otherwise);
        },
      );
    });
  }
}
