// The scope of a connection while it is traced: that of its listener, with hooks that also tell the trace. It stands in
// the place of the listener's for this connection only, so the others pay nothing.
import type { Packet } from "@wrenmq/codec";
import type { Action, ClientInfo, HookChain, MaybePromise, PluginMessage } from "@wrenmq/plugin-api";
import type { ConnectionSettings, SessionLimits, Verdict } from "@wrenmq/protocol";
import type { ConnectionInfo } from "@wrenmq/transport";
import type { Rules } from "../access/authorization-cache.ts";
import type { BrokerLimits } from "../limits/limits.ts";
import type { BrokerServices, ListenerScope } from "./services.ts";

/** What a trace gets of a connection. */
export interface ConnectionTap {
  packetReceived(packet: Packet): void;
  packetSent(packet: Packet): void;
  /** A plugin, or the broker, has decided; later packets of the same topic are decided by the cached verdict. */
  authorized(action: Action, topic: string, verdict: Verdict): void;
  /** A PUBLISH has passed every check and is about to be routed. */
  published(message: PluginMessage): void;
  /** CONNECT was refused. */
  refused(verdict: Verdict): void;
  disconnected(reasonCode: number): void;
  /** The transport is closed. */
  closed(): void;
}

export class TracedScope implements ListenerScope {
  /** The listener's own. */
  readonly original: ListenerScope;
  readonly name: string;
  readonly broker: BrokerServices;
  readonly sessionLimits: SessionLimits;
  readonly rules: () => Rules;
  readonly #tap: ConnectionTap;
  #chain: HookChain | undefined;
  #traced: HookChain | undefined;

  constructor(original: ListenerScope, tap: ConnectionTap) {
    this.original = original;
    this.name = original.name;
    this.broker = original.broker;
    this.sessionLimits = original.sessionLimits;
    this.#tap = tap;
    this.rules = () => ({ ...original.rules(), chain: this.chain });
  }

  get limits(): BrokerLimits {
    return this.original.limits;
  }

  get settings(): ConnectionSettings {
    return this.original.settings;
  }

  get chain(): HookChain {
    const { chain } = this.original;
    if (this.#traced === undefined || this.#chain !== chain) {
      this.#chain = chain;
      this.#traced = traced(chain, this.#tap);
    }
    return this.#traced;
  }

  get hasRoom(): boolean {
    return this.original.hasRoom;
  }

  hasRoomByTakeover(clientId: string): boolean {
    return this.original.hasRoomByTakeover(clientId);
  }

  conversationEnded(): void {
    this.original.conversationEnded();
  }

  connectionClosed(id: number): void {
    this.#tap.closed();
    this.original.connectionClosed(id);
  }

  protocolFailure(client: ConnectionInfo, reason: string): void {
    this.original.protocolFailure(client, reason);
  }
}

function traced(chain: HookChain, tap: ConnectionTap): HookChain {
  const { observe, authorize } = chain;
  return {
    ...chain,
    authorize: authorize && ((client, action, topic) => tapped(authorize(client, action, topic), action, topic, tap)),
    observe: {
      ...observe,
      packetReceived(client: ClientInfo | undefined, packet: Packet) {
        tap.packetReceived(packet);
        observe.packetReceived?.(client, packet);
      },
      packetSent(client: ClientInfo | undefined, packet: Packet) {
        tap.packetSent(packet);
        observe.packetSent?.(client, packet);
      },
      published(client, message) {
        tap.published(message);
        observe.published?.(client, message);
      },
      refused(client, verdict) {
        tap.refused(verdict);
        observe.refused?.(client, verdict);
      },
      disconnected(client, reasonCode) {
        tap.disconnected(reasonCode);
        observe.disconnected?.(client, reasonCode);
      },
    },
  };
}

/** The same verdict; the tap gets it too. */
function tapped(
  verdict: MaybePromise<Verdict>,
  action: Action,
  topic: string,
  tap: ConnectionTap,
): MaybePromise<Verdict> {
  if (!(verdict instanceof Promise)) {
    tap.authorized(action, topic, verdict);
    return verdict;
  }
  return verdict.then((answer) => {
    tap.authorized(action, topic, answer);
    return answer;
  });
}
