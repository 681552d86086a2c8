// The listeners of a broker by name: opened, closed, changed while they run, each with its chain of plugins.
import { ReasonCode } from "@wrenmq/codec";
import type { HookChain } from "@wrenmq/plugin-api";
import {
  type Adopt,
  type Connection,
  type ConnectionHandler,
  createListener,
  type TransportName,
} from "@wrenmq/transport";
import { ClientPlacement } from "../clustering/client-placement.ts";
import { ClientConnection } from "../connections/client-connection.ts";
import type { BrokerCore } from "../core.ts";
import type { ListenerOptions } from "../options.ts";
import { BrokerError } from "../runtime/broker-error.ts";
import { logCertificate } from "./certificate-notices.ts";
import { Listener } from "./listener.ts";
import { ListenerChange, type RunningListener } from "./listener-change.ts";

/** Makes the chain of the plugins named, or of all. */
export type ChainMaker = (plugins: readonly string[] | undefined) => HookChain;

/** Another set of listeners, ready to be put in force. */
export interface PreparedListeners {
  /** Cannot fail. `closed` resolves when those that are gone are closed, `rulesDiffer`: other plugins decide somewhere. */
  commit(): { readonly rulesDiffer: boolean; readonly closed: Promise<void> };
  /** Everything is as it was. */
  abort(): Promise<void>;
}

export class Listeners {
  readonly #running = new Map<string, RunningListener>();
  readonly #core: BrokerCore;
  readonly #makeChain: ChainMaker;
  #isClosed = false;

  constructor(core: BrokerCore, makeChain: ChainMaker) {
    this.#core = core;
    this.#makeChain = makeChain;
  }

  *addresses(): IterableIterator<[name: string, address: string]> {
    for (const [name, { listener }] of this.#running) if (listener !== undefined) yield [name, listener.address];
  }

  port(name: string): number | undefined {
    return this.#running.get(name)?.listener?.port;
  }

  chain(name: string): HookChain | undefined {
    return this.#running.get(name)?.context.chain;
  }

  /** @throws ListenerError, BrokerError ERR_BROKER_CONFIG */
  async add(name: string, options: ListenerOptions): Promise<void> {
    if (this.#running.has(name)) {
      throw new BrokerError("ERR_BROKER_CONFIG", `there is a listener named "${name}" already`);
    }
    const running = this.#make(name, options);
    running.isOpen = true;
    await running.listener?.listen();
    if (this.#isClosed) {
      await running.listener?.close();
      throw new BrokerError("ERR_BROKER_STATE", `the broker was stopped before "${name}" listened`);
    }
    this.#began(name, running);
  }

  /** Gets another set of listeners ready. Rejects with a ListenerError; nothing has changed then. */
  async prepare(wanted: Readonly<Record<string, ListenerOptions>>): Promise<PreparedListeners> {
    const { clock, cluster } = this.#core;
    const change = await ListenerChange.prepare(
      {
        running: this.#running,
        clock,
        isShared: cluster !== undefined,
        make: (name, options, context) => this.#make(name, options, context),
      },
      wanted,
    );
    if (this.#isClosed) {
      await change.abort();
      throw new BrokerError("ERR_BROKER_STATE", "the broker was stopped before it could change");
    }
    return {
      abort: () => change.abort(),
      commit: () => {
        const { opened, closed, rulesDiffer } = change.commit();
        for (const [name] of closed) this.#running.delete(name);
        for (const [name, running] of opened) this.#began(name, running);
        return { rulesDiffer, closed: Promise.all(closed.map(([, running]) => this.#end(running))).then(() => {}) };
      },
    };
  }

  /** Other limits or plugins for a listener that goes on listening; its clients stay. */
  update(name: string, options: Pick<ListenerOptions, "limits" | "maxConnections" | "plugins">): boolean {
    const running = this.#running.get(name);
    if (running === undefined) return false;
    const { plugins: _plugins, limits: _limits, maxConnections: _maximum, ...rest } = running.options;
    running.options = { ...rest, ...options } as ListenerOptions;
    running.context.configure({ ...this.#core.limits, ...options.limits }, options.maxConnections ?? 0);
    running.context.chain = this.#makeChain(options.plugins);
    return true;
  }

  /** Stops listening; the listener's clients are told and disconnected. */
  async remove(name: string): Promise<boolean> {
    const running = this.#running.get(name);
    if (running === undefined) return false;
    this.#running.delete(name);
    await this.#end(running);
    return true;
  }

  /** What makes connections of sockets that another process accepted. @throws BrokerError ERR_LISTENER_UNKNOWN */
  adopter(name: string, transport: TransportName): Adopt {
    return this.#core.adopter(transport, this.#known(name, "adopt").options);
  }

  /** Serves a connection that somebody else made. undefined: refused. @throws BrokerError ERR_LISTENER_UNKNOWN */
  accept(connection: Connection, name: string, handedOver: boolean): ConnectionHandler | undefined {
    const { context } = this.#known(name, "accept");
    return handedOver || context.admits(connection.info) ? this.#accept(connection, context) : undefined;
  }

  #known(name: string, caller: "accept" | "adopt"): RunningListener {
    const running = this.#running.get(name);
    if (running !== undefined) return running;
    throw new BrokerError("ERR_LISTENER_UNKNOWN", `${caller}(): there is no listener named "${name}"`);
  }

  /** The plugins or the broker's limits changed. */
  refresh(): void {
    for (const { context, options } of this.#running.values()) {
      context.chain = this.#makeChain(options.plugins);
      context.configure({ ...this.#core.limits, ...options.limits }, options.maxConnections ?? 0);
    }
  }

  /** Reads certificates again; the old ones stay where the new ones are bad. @throws ListenerError */
  async reloadCertificates(): Promise<void> {
    const reloads = [...this.#running.values()].map(async ({ listener }) => listener?.reloadCertificates?.());
    // Each for itself: what is wrong with one keeps no other from its new certificate.
    const failed = (await Promise.allSettled(reloads)).find((reload) => reload.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  /** Stops accepting. @returns the connections that are open */
  async close(): Promise<ClientConnection[]> {
    this.#isClosed = true;
    const open: ClientConnection[] = [];
    for (const { listener, context } of this.#running.values()) {
      await listener?.close();
      for (const driver of context.connections) open.push(driver);
    }
    return open;
  }

  clear(): void {
    this.#running.clear();
  }

  #make(name: string, options: ListenerOptions, existing?: Listener): RunningListener {
    const core = this.#core;
    const context = existing ?? new Listener(name, core, this.#makeChain(options.plugins));
    if (existing === undefined) {
      context.configure({ ...core.limits, ...options.limits }, options.maxConnections ?? 0);
    }
    if (options.type === "external") return { context, listener: undefined, options, isOpen: true };
    const { arena, logger } = core;
    const listener = createListener(
      options,
      (connection) => (running.isOpen ? this.#accept(connection, context) : undefined),
      {
        readBuffer: { bytes: arena.bytes, start: arena.readStart, length: arena.readLength },
        admits: (client) => context.admits(client),
        onError: (error) => context.trouble.report(error),
        onCertificate: (notice) => {
          // Workers have the same certificates, and one of them is enough to say so.
          if (core.cluster?.isFirst !== false) logCertificate(logger, name, notice, Date.now());
        },
      },
    );
    const running: RunningListener = { context, listener, options, isOpen: existing !== undefined };
    return running;
  }

  #began(name: string, running: RunningListener): void {
    running.isOpen = true;
    this.#running.set(name, running);
    const { listener } = running;
    if (listener !== undefined) this.#core.logger.info({ listener: name, address: listener.address }, "listening");
  }

  /** Of one that is not among the running any more: its clients are told. */
  async #end({ context, listener }: RunningListener): Promise<void> {
    const { sessionLimits } = context;
    for (const { session } of this.#core.registry.values()) {
      if (session.limits === sessionLimits) session.limits = this.#core.sessionLimits;
    }
    await listener?.close();
    for (const driver of [...context.connections]) driver.machine.closeLink(ReasonCode.AdministrativeAction);
  }

  #accept(connection: Connection, context: Listener): ConnectionHandler {
    const driver = new ClientConnection(connection, context, this.#core.clock.now());
    context.connectionOpened(driver);
    const { placement } = this.#core;
    return placement === undefined ? driver : new ClientPlacement(driver, context.name, placement);
  }
}
