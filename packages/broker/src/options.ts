// What an embedder may say to `createBroker`: plain data, parts to plug in, and limits that are safe when nothing is said.
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

/** For `broker.accept`; beside these, what overrides what the stream says of its other side. */
export interface AcceptOptions extends StreamFacts {
  /** The name of a listener, of any type (`external` is made for it), whose limits and plugins apply. */
  readonly listener: string;
  /** Another broker has let it in: it counts against the rate of connections there. Default false. */
  readonly handedOver?: boolean;
}

export interface BrokerOptions {
  /**
   * By name. Each may be of any type; `external` is for `broker.accept`. Absent: one named `default`, tcp on port 1883 of
   * the loopback addresses, IPv4 and IPv6. `{}`: none.
   */
  readonly listeners?: Readonly<Record<string, ListenerOptions>>;
  /**
   * Each with a name of its own. Without a plugin that authenticates no client may connect; absent, where `listeners` are
   * absent too: clients of this machine may, no password asked.
   */
  readonly plugins?: readonly Plugin[];
  /** Where sessions and retained messages outlive the process; absent: nowhere. */
  readonly store?: Store;
  /** `shutdown()` removes what the store keeps: it then outlives a crash only. Default false. */
  readonly clearOnShutdown?: boolean;
  /** Other brokers that act as one with this one. Each client has one of them that serves it: see `placement`. */
  readonly bus?: ClusterBus;
  /** Which broker serves which client; absent: this one serves all that it accepts. */
  readonly placement?: Placement;
  readonly limits?: Partial<BrokerLimits>;
  readonly session?: Partial<SessionPolicy>;
  readonly shared?: { readonly strategy: ShareStrategy };
  readonly sys?: Partial<SysOptions>;
  /**
   * May clients publish to topics that begin with `$`, other than those that plugins serve? `$SYS/` is always the server's
   * own. MQTT 5.0 section 4.7.2 says that a server should refuse them; many devices use them. Default `allow`.
   */
  readonly dollarTopics?: DollarTopics;
  /** Milliseconds that a plugin's promise may take; then it counts as a refusal. Default 10,000. */
  readonly hookTimeout?: number;
  /** Given to MQTT 5 clients that ask for Response Information: a topic prefix they may use. */
  readonly responseInformation?: (clientId: string) => string | undefined;
  /** Remember of each session what it lost and why, for `operations`: a look-up for each message that is dropped. Default false. */
  readonly dropHistory?: boolean;
  readonly logger?: Logger;
  readonly clock?: Clock;
}
