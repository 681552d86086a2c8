// The events of a broker: every observe hook of the plugin API, by the same name and with the same arguments.
import type { Hooks, ObserveHooks } from "@wrenmq/plugin-api";

export type BrokerEvent = keyof ObserveHooks;
type Listener = (...given: never[]) => void;

export class BrokerEvents {
  readonly #listeners = new Map<BrokerEvent, Set<Listener>>();
  readonly #changed: () => void;

  /** @param changed called when an event gets its first listener or loses its last */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  on<Event extends BrokerEvent>(event: Event, listener: ObserveHooks[Event]): void {
    const listeners = this.#listeners.get(event);
    if (listeners !== undefined) {
      listeners.add(listener as Listener);
      return;
    }
    this.#listeners.set(event, new Set([listener as Listener]));
    this.#changed();
  }

  off<Event extends BrokerEvent>(event: Event, listener: ObserveHooks[Event]): void {
    const listeners = this.#listeners.get(event);
    if (listeners?.delete(listener as Listener) !== true || listeners.size > 0) return;
    this.#listeners.delete(event);
    this.#changed();
  }

  /** As hooks, without events that have no listeners: these cost nothing. */
  hooks(): Hooks {
    const hooks: Record<string, unknown> = {};
    for (const [event, listeners] of this.#listeners) {
      hooks[event] = (one: never, two: never, three: never, four: never) => tellAll(listeners, one, two, three, four);
    }
    return hooks as Hooks;
  }
}

/** Calls every listener; then throws the first error that one has thrown. */
function tellAll(listeners: Iterable<Listener>, ...given: never[]): void {
  const errors: unknown[] = [];
  for (const listener of [...listeners]) {
    try {
      listener(...given);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
