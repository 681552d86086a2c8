// The listeners of a broker by name: opens, closes and changes them, each with its chain of plugins.
import { ReasonCode } from "@wrenmq/codec";
import type { HookChain } from "@wrenmq/plugin-api";
import {
  type Adopt,
  type Connection,
  type ConnectionHandler,
  createListener,
  socketAdopter,
  type TlsCertificate,
  type TransportName,
} from "@wrenmq/transport";
import { ClientPlacement, type Placement } from "../clustering/client-placement.ts";
import { ClientConnection } from "../connections/client-connection.ts";
import type { BrokerServices } from "../connections/services.ts";
import { BrokerError } from "../runtime/broker-error.ts";
import { logCertificate } from "./certificate-notices.ts";
import { Listener } from "./listener.ts";
import { ListenerChange, type RunningListener } from "./listener-change.ts";
import { type ListenerOptions, limitsOf } from "./listener-options.ts";

/** A listener as operators see it. */
export interface ListenerReport {
  readonly name: string;
  readonly type: ListenerOptions["type"];
  /** undefined for `external`. */
  readonly address: string | undefined;
  /** Open connections, with those that have not sent CONNECT. */
  readonly connections: number;
  /** 0: no limit. */
  readonly maxConnections: number;
  /** Names of the plugins that decide about its clients; undefined: all. */
  readonly plugins: readonly string[] | undefined;
  /** Names of those of them that authenticate. */
  readonly authenticators: readonly string[];
  readonly certificates: readonly TlsCertificate[];
}

/** Plugins by name; all of them without names. */
export interface ListenerPlugins {
  chain(members: readonly string[] | undefined): HookChain;
  /** Names of those that authenticate. */
  authenticators(members: readonly string[] | undefined): readonly string[];
}

/** Another set of listeners, ready to be committed. */
export interface PreparedListeners {
  /**
   * Applies the change; cannot fail. `closed` resolves when removed listeners are closed; `rulesDiffer`: the set of
   * deciding plugins differs for a listener; `announce` logs the listeners, to be called when it is known who decides
   * about their clients.
   */
  commit(): { readonly rulesDiffer: boolean; readonly closed: Promise<void>; announce(): void };
  /** Undoes the preparation. */
  abort(): Promise<void>;
}

/** Several processes with the same listeners. */
export interface SharedListeners {
  /** Is this the process that logs what concerns all of them? */
  readonly isFirst: boolean;
}

export class Listeners {
  readonly #running = new Map<string, RunningListener>();
  readonly #core: BrokerServices;
  readonly #plugins: ListenerPlugins;
  readonly #placement: Placement | undefined;
  readonly #adopters = new Map<string, Adopt>();
  readonly #cluster: SharedListeners | undefined;
  readonly #ticketSecret: Uint8Array | undefined;
  #isClosed = false;

  constructor(
    core: BrokerServices,
    plugins: ListenerPlugins,
    placement: Placement | undefined,
    cluster: SharedListeners | undefined,
    ticketSecret: Uint8Array | undefined,
  ) {
    this.#core = core;
    this.#cluster = cluster;
    this.#ticketSecret = ticketSecret;
    this.#plugins = plugins;
    this.#placement = placement;
  }

  *addresses(): IterableIterator<[name: string, address: string]> {
    for (const [name, { listener }] of this.#running) if (listener !== undefined) yield [name, listener.address];
  }

  *reports(): IterableIterator<ListenerReport> {
    for (const [name, { listener, options, scope }] of this.#running) {
      yield {
        name,
        type: options.type,
        address: listener?.address,
        connections: scope.connectionCount,
        maxConnections: scope.maxConnections,
        plugins: options.plugins,
        authenticators: this.#plugins.authenticators(options.plugins),
        certificates: "tls" in options ? options.tls.certificates : [],
      };
    }
  }

  port(name: string): number | undefined {
    return this.#running.get(name)?.listener?.port;
  }

  chain(name: string): HookChain | undefined {
    return this.#running.get(name)?.scope.chain;
  }

  /** @throws ListenerError, BrokerError ERR_BROKER_CONFIG */
  async add(name: string, options: ListenerOptions): Promise<void> {
    if (this.#running.has(name)) {
      throw new BrokerError("ERR_BROKER_CONFIG", `there is a listener named "${name}" already`);
    }
    const running = this.#make(name, options);
    running.scope.chain = this.#plugins.chain(options.plugins);
    running.isOpen = true;
    await running.listener?.listen();
    if (this.#isClosed) {
      await running.listener?.close();
      throw new BrokerError("ERR_BROKER_STATE", `the broker was stopped before "${name}" listened`);
    }
    this.#began(name, running);
    this.#announce(name, running);
  }

  /** Prepares another set of listeners. Rejects with a ListenerError; nothing has changed then. */
  async prepare(wanted: Readonly<Record<string, ListenerOptions>>): Promise<PreparedListeners> {
    const change = await ListenerChange.prepare(
      {
        running: this.#running,
        clock: this.#core.clock,
        isShared: this.#cluster !== undefined,
        make: (name, options, scope) => this.#make(name, options, scope),
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
        return {
          rulesDiffer,
          announce: () => {
            for (const [name, running] of opened) this.#announce(name, running);
          },
          closed: Promise.all(closed.map(([, running]) => this.#end(running))).then(() => {}),
        };
      },
    };
  }

  /** Changes limits or plugins of a listener while it listens; its clients stay. */
  update(name: string, options: Pick<ListenerOptions, "limits" | "maxConnections" | "plugins">): boolean {
    const running = this.#running.get(name);
    if (running === undefined) return false;
    const { plugins: _plugins, limits: _limits, maxConnections: _maximum, ...rest } = running.options;
    running.options = { ...rest, ...options } as ListenerOptions;
    running.scope.configure(limitsOf(this.#core.limits, running.options), options.maxConnections ?? 0);
    running.scope.chain = this.#plugins.chain(options.plugins);
    return true;
  }

  /** Closes a listener and disconnects its clients. */
  async remove(name: string): Promise<boolean> {
    const running = this.#running.get(name);
    if (running === undefined) return false;
    this.#running.delete(name);
    await this.#end(running);
    return true;
  }

  /**
   * A function that makes connections of sockets which another process has accepted, as this listener would.
   * @throws BrokerError ERR_LISTENER_UNKNOWN
   */
  adopter(name: string, transport: TransportName): Adopt {
    const { options } = this.#known(name, "adopt");
    const lingerTimeout = "lingerTimeout" in options ? options.lingerTimeout : undefined;
    const isRaw = !("rawTcp" in options) || options.rawTcp !== false;
    const key = `${transport} ${lingerTimeout} ${isRaw}`;
    let adopter = this.#adopters.get(key);
    if (adopter === undefined) {
      const { bytes, readStart: start, readLength: length } = this.#core.arena;
      adopter = socketAdopter({
        transport,
        ...(isRaw ? { readBuffer: { bytes, start, length } } : {}),
        ...(lingerTimeout === undefined ? {} : { lingerTimeout }),
      });
      this.#adopters.set(key, adopter);
    }
    return adopter;
  }

  /**
   * Serves a connection that does not come from a listener of this broker.
   * @returns undefined: it was refused
   * @throws BrokerError ERR_LISTENER_UNKNOWN
   */
  accept(connection: Connection, name: string, handedOver: boolean): ConnectionHandler | undefined {
    const { scope } = this.#known(name, "accept");
    return handedOver || scope.admits(connection.info) ? this.#accept(connection, scope) : undefined;
  }

  #known(name: string, caller: "accept" | "adopt"): RunningListener {
    const running = this.#running.get(name);
    if (running !== undefined) return running;
    throw new BrokerError("ERR_LISTENER_UNKNOWN", `${caller}(): there is no listener named "${name}"`);
  }

  /** The options of each listener. */
  options(): Readonly<Record<string, ListenerOptions>> {
    return Object.fromEntries([...this.#running].map(([name, { options }]) => [name, options]));
  }

  /** The plugins or the broker's limits have changed. */
  refresh(): void {
    for (const { scope, options } of this.#running.values()) {
      scope.chain = this.#plugins.chain(options.plugins);
      scope.configure(limitsOf(this.#core.limits, options), options.maxConnections ?? 0);
    }
  }

  /**
   * Reads certificates again; where the new ones are invalid the old ones stay.
   * @throws ListenerError
   */
  async reloadCertificates(): Promise<void> {
    const reloads = [...this.#running.values()].map(async ({ listener }) => listener?.reloadCertificates?.());
    // One listener's error does not keep another from its new certificate.
    const failed = (await Promise.allSettled(reloads)).find((reload) => reload.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  /**
   * Stops accepting.
   * @returns the open connections
   */
  async close(): Promise<ClientConnection[]> {
    this.#isClosed = true;
    const open: ClientConnection[] = [];
    for (const { listener, scope } of this.#running.values()) {
      await listener?.close();
      for (const connection of scope.connections) open.push(connection);
    }
    return open;
  }

  /** The open connections. */
  *connections(): IterableIterator<ClientConnection> {
    for (const { scope } of this.#running.values()) yield* scope.connections;
  }

  clear(): void {
    this.#running.clear();
  }

  #make(name: string, options: ListenerOptions, existing?: Listener): RunningListener {
    const core = this.#core;
    // Until it is committed no plugin decides about its clients.
    const scope = existing ?? new Listener(name, core, this.#plugins.chain([]));
    if (existing === undefined) scope.configure(limitsOf(core.limits, options), options.maxConnections ?? 0);
    if (options.type === "external") return { scope, listener: undefined, options, isOpen: true };
    const { arena, logger } = core;
    const accept = (connection: Connection): ConnectionHandler | undefined =>
      running.isOpen ? this.#accept(connection, scope) : undefined;
    const listener = createListener(options, accept, {
      readBuffer: { bytes: arena.bytes, start: arena.readStart, length: arena.readLength },
      admits: (client) => scope.admits(client),
      ticketSecret: this.#ticketSecret,
      onError: (error) => scope.handshakeFailures.report(error),
      onCertificate: (notice) => {
        // Workers have the same certificates: one of them logs it.
        if (this.#cluster?.isFirst !== false) logCertificate(logger, name, notice, Date.now());
      },
    });
    const running: RunningListener = { scope, listener, options, isOpen: existing !== undefined };
    return running;
  }

  #began(name: string, running: RunningListener): void {
    running.isOpen = true;
    this.#running.set(name, running);
  }

  #announce(name: string, { listener, options }: RunningListener): void {
    if (listener === undefined) return;
    const authenticators = this.#plugins.authenticators(options.plugins);
    this.#core.logger.info({ listener: name, address: listener.address, authenticators }, "listening");
  }

  /** Closes a removed listener and disconnects its clients. */
  async #end({ scope, listener }: RunningListener): Promise<void> {
    const { sessionLimits } = scope;
    for (const { session } of this.#core.registry.values()) {
      if (session.limits === sessionLimits) session.limits = this.#core.sessionLimits;
    }
    await listener?.close();
    for (const connection of scope.connections) connection.machine.closeLink(ReasonCode.AdministrativeAction);
  }

  #accept(transport: Connection, scope: Listener): ConnectionHandler {
    const connection = new ClientConnection(transport, scope, this.#core.clock.now());
    scope.connectionOpened(connection);
    if (!this.#core.connectionTaps.isEmpty) this.#core.connectionTaps.opened(connection);
    const placement = this.#placement;
    return placement === undefined ? connection : new ClientPlacement(connection, scope.name, placement);
  }
}
