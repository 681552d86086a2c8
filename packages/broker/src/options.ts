// The options of `createBroker`: plain data, parts to plug in, and limits with safe defaults.
import type { ClusterBus } from "@wrenmq/cluster";
import type { Logger, Plugin } from "@wrenmq/plugin-api";
import type { Store } from "@wrenmq/store";
import type { StreamFacts } from "@wrenmq/transport";
import type { DollarTopics } from "./access/reserved-topics.ts";
import type { Placement } from "./clustering/client-placement.ts";
import type { BrokerLimits, SessionPolicy } from "./limits/limits.ts";
import type { ListenerOptions } from "./listeners/listener-options.ts";
import type { SysOptions } from "./reporting/sys-topics.ts";
import type { ShareStrategy } from "./routing/shared-groups.ts";
import type { Clock } from "./runtime/clock.ts";

/** Options of `broker.accept`, with facts that override those of the stream. */
export interface AcceptOptions extends StreamFacts {
  /** Name of the listener, of any type (`external` is made for this), whose limits and plugins apply. */
  readonly listener: string;
  /** Another broker has accepted it, and has counted it against the rate of connections. Default false. */
  readonly handedOver?: boolean;
}

export interface BrokerOptions {
  /**
   * Listeners by name. Each may be of any type; `external` is for `broker.accept`. Default: one named `default`, tcp on
   * port 1883 of the loopback addresses, IPv4 and IPv6. `{}`: none.
   */
  readonly listeners?: Readonly<Record<string, ListenerOptions>>;
  /**
   * Plugins with distinct names. Without one that authenticates no client may connect. Default: none; without
   * `listeners` too, clients of this machine may connect without a password.
   */
  readonly plugins?: readonly Plugin[];
  /** Stores sessions and retained messages so that they outlive the process. Default: nothing does. */
  readonly store?: Store;
  /** Remove everything from the store at `shutdown()`, so that it only survives a crash. Default false. */
  readonly clearOnShutdown?: boolean;
  /**
   * Other brokers that act as one with this one. Each client is served by one of them: see `placement`. Default: none.
   */
  readonly bus?: ClusterBus;
  /** Decides which broker serves which client. Default: this one serves all that it accepts. */
  readonly placement?: Placement;
  /**
   * The secret of TLS session tickets, at least 32 bytes: clients resume their sessions at every broker with the same.
   * Default: one of this process.
   */
  readonly ticketSecret?: Uint8Array;
  readonly limits?: Partial<BrokerLimits>;
  readonly session?: Partial<SessionPolicy>;
  readonly shared?: { readonly strategy: ShareStrategy };
  readonly sys?: Partial<SysOptions>;
  /**
   * Milliseconds for which the wills of clients that were connected when the broker ended wait at its next start: a
   * client that is back by then has not died. Default 0: they are published at once. [MQTT5 3.1.2.5]
   */
  readonly takeoverGrace?: number;
  /**
   * May clients publish to topics that begin with `$`, besides those that plugins serve? `$SYS/` always belongs to the
   * server. A server should refuse such topics, but many devices use them. Default `allow`. [MQTT5 4.7.2]
   */
  readonly dollarTopics?: DollarTopics;
  /** Milliseconds that a plugin's promise may take; then it counts as a refusal. Default 10,000. */
  readonly hookTimeout?: number;
  /**
   * The Response Information for MQTT 5 clients that request it: a topic prefix that they may use. Default: none is
   * sent. [MQTT5 3.2.2.3.15]
   */
  readonly responseInformation?: (clientId: string) => string | undefined;
  /**
   * Keep for each session a history of what it has lost and why, for `operations`; costs a look-up for each dropped
   * message. Default false.
   */
  readonly dropHistory?: boolean;
  readonly logger?: Logger;
  readonly clock?: Clock;
}
