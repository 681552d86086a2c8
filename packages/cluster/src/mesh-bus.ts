// The bus between the worker processes of one machine: each has a link to each other one.
import type { Message, Millis } from "@wrenmq/protocol";
import type { Connection, ConnectionHandler, ExternalConnection, ReadBuffer } from "@wrenmq/transport";
import type { ArrivedTarget, ClusterBus, ForwardTarget, LocalNode, RetainedFact } from "./cluster-bus.ts";
import { ClusterError } from "./errors.ts";
import { ForwardResult } from "./forward-result.ts";
import type { Ticket } from "./forward-ticket.ts";
import type { Greeting, LinkEvents } from "./link-events.ts";
import { MeshLink } from "./mesh-link.ts";
import { MeshPeer } from "./mesh-peer.ts";
import type { Origin, Parcel } from "./parcel.ts";
import { FIRST_RETRY, Redial } from "./redial.ts";
import { RelayConnection, RelayEntrance, type RelaySide } from "./relay.ts";
import type { MeshTransport } from "./transports/mesh-transport.ts";
import type { RelayOpening } from "./wire/relay-info.ts";

/** Milliseconds between two attempts to connect to a peer: at first and at most. */
/** Milliseconds that relayed connections have to close at the end. */
const RELAY_GRACE = 2_000;
const SEQUENCES = 0x1_0000_0000;
/** Bytes of a burst when retained messages are sent to a newly connected peer. */
const SYNC_BURST = 1024 * 1024;

export interface MeshOptions {
  /** Number of this broker, 0 to count - 1. */
  readonly self: number;
  /** Number of brokers, with this one. */
  readonly count: number;
  readonly transport: MeshTransport;
  /** Milliseconds that `start` waits for the peers. Default 10,000. */
  readonly startTimeout?: number;
  /** Serves a connection that a peer relays. Default: relays are refused. */
  readonly accept?: (connection: ExternalConnection, listener: string) => void;
}

interface Group {
  readonly connected: number;
  readonly members: number;
  readonly durable: boolean;
}

export class MeshBus implements ClusterBus, LinkEvents<MeshLink> {
  readonly self: number;
  readonly #options: MeshOptions;
  #peers: MeshPeer[] = [];
  #node: LocalNode | undefined;
  readonly #routes = new Map<string, boolean>();
  readonly #groups = new Map<string, Group>();
  readonly #byLink = new Map<MeshLink, MeshPeer>();
  readonly #syncs = new Map<MeshLink, Iterator<RetainedFact>>();
  readonly #congested = new Set<MeshLink>();
  #relieved: (() => void)[] = [];
  #complete: (() => void) | undefined;
  readonly #redial = new Redial<MeshLink>((id, retry) => this.#dial(id, retry));
  /** Have routes changed since the last barrier, and the barrier that peers have not passed. */
  #unknown = false;
  #uncertain = false;
  #known: Promise<void> | undefined;
  #lastRelay = 0;
  #stopped = false;

  constructor(options: MeshOptions) {
    this.self = options.self;
    this.#options = options;
  }

  get peers(): readonly MeshPeer[] {
    return this.#peers;
  }

  get congested(): boolean {
    return this.#congested.size > 0;
  }

  get isUncertain(): boolean {
    return this.#uncertain;
  }

  get waiting(): number {
    return this.#peers.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  attach(node: LocalNode): void {
    const { self, count } = this.#options;
    this.#node = node;
    this.#peers = [];
    for (let id = 0; id < count; id++) if (id !== self) this.#peers.push(new MeshPeer(id, node));
    this.#routes.clear();
    this.#groups.clear();
    this.#uncertain = node.durable && this.#peers.length > 0;
  }

  async start(): Promise<void> {
    const { self, transport, startTimeout = 10_000 } = this.#options;
    const node = this.#node as LocalNode;
    this.#stopped = false;
    await transport.listen((connection) => this.#open(connection), this.#readBuffer);
    for (const { id } of this.#peers) if (id < self) this.#dial(id, FIRST_RETRY);
    if (this.#isComplete) return;
    await new Promise<void>((resolve) => {
      const cancel = node.at(node.now() + startTimeout, resolve);
      this.#complete = () => {
        cancel();
        resolve();
      };
    });
    this.#complete = undefined;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#redial.stop();
    this.#complete?.();
    for (const peer of this.#peers) peer.close();
    await this.#relaysGone();
    for (const link of [...this.#byLink.keys()]) link.end();
    await this.#options.transport.close();
    this.#relieve();
  }

  setRoute(filter: string, durable: boolean): void {
    if (this.#routes.get(filter) === durable) return;
    this.#routes.set(filter, durable);
    for (const link of this.#byLink.keys()) link.setRoute(filter, durable);
    this.#unknown = true;
  }

  removeRoute(filter: string): void {
    if (!this.#routes.delete(filter)) return;
    for (const link of this.#byLink.keys()) link.removeRoute(filter);
  }

  setGroup(filter: string, connected: number, members: number, durable: boolean): void {
    const known = this.#groups.get(filter);
    if (known?.connected === connected && known.members === members && known.durable === durable) return;
    if (members === 0) this.#groups.delete(filter);
    else this.#groups.set(filter, { connected, members, durable });
    for (const link of this.#byLink.keys()) link.setGroup(filter, connected, members, durable);
    this.#unknown = true;
  }

  forward(peer: MeshPeer, message: Message, target: ForwardTarget, ticket: Ticket | undefined): void {
    peer.forward(message, target, ticket);
    const { link } = peer;
    if (link?.congested === true) this.#congested.add(link);
  }

  handOver(peer: MeshPeer, parcel: Parcel, target: ForwardTarget): void {
    peer.handOver(parcel, target);
    const { link } = peer;
    if (link !== undefined && (link.congested || peer.isBehind)) this.#congested.add(link);
  }

  isFull(peer: MeshPeer, message: Message): boolean {
    return !peer.up && peer.isFull(message);
  }

  acknowledge(peer: MeshPeer, sequence: number, result: ForwardResult): void {
    if (peer.link === undefined || Math.floor(sequence / SEQUENCES) !== peer.generation) return;
    peer.link.answer(sequence % SEQUENCES, result);
  }

  whenRelieved(callback: () => void): void {
    this.#relieved.push(callback);
  }

  whenKnown(): Promise<void> | undefined {
    if (!this.#unknown) return this.#known;
    this.#unknown = false;
    let left = this.#byLink.size;
    if (left === 0) return undefined;
    const known = new Promise<void>((resolve) => {
      const passed = (): void => {
        if (--left === 0) resolve();
      };
      for (const link of this.#byLink.keys()) link.barrier(passed);
    });
    this.#known = known;
    void known.then(() => {
      if (this.#known === known) this.#known = undefined;
    });
    return known;
  }

  shareMetrics(metrics: Readonly<Record<string, number>>): void {
    for (const link of this.#byLink.keys()) link.tellMetrics(metrics);
  }

  *metrics(): IterableIterator<Readonly<Record<string, number>>> {
    for (const { metrics } of this.#peers) if (metrics !== undefined) yield metrics;
  }

  /**
   * Lets a peer serve a connection whose bytes only this process can read and write.
   * @param head bytes that were read from it
   * @returns the handler of the connection's events from now on; undefined: the peer is not connected
   */
  relay(id: number, connection: Connection, listener: string, head: Uint8Array): ConnectionHandler | undefined {
    const link = this.#peers.find((peer) => peer.id === id)?.link;
    if (link === undefined) return undefined;
    this.#lastRelay++;
    const relay = ((this.#lastRelay * 2) % SEQUENCES) + (this.self < id ? 0 : 1);
    const entrance = new RelayEntrance(connection, link, relay);
    link.openRelay(relay, { listener, info: connection.info }, entrance);
    entrance.data(head, 0, head.length);
    return entrance;
  }

  // ── links ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  greeted(link: MeshLink, { id, count, durable }: Greeting): void {
    const peer = this.#peers.find((known) => known.id === id);
    if (peer === undefined || count !== this.#options.count) {
      throw new ClusterError("ERR_CLUSTER_PEER", `broker ${id} of ${count} is not one of ours`);
    }
    peer.link?.fail(undefined);
    this.#byLink.set(link, peer);
    link.peer = peer;
    peer.linked(link, durable);
    link.tellOrigins((this.#node as LocalNode).origins);
    for (const [filter, isDurable] of this.#routes) link.setRoute(filter, isDurable);
    for (const [filter, group] of this.#groups) {
      link.setGroup(filter, group.connected, group.members, group.durable);
    }
    link.endRoutes();
  }

  originsTold(link: MeshLink, origins: readonly Origin[]): void {
    const { peer } = link;
    if (peer !== undefined) this.#node?.originsTold(peer, origins);
  }

  routeSet(link: MeshLink, filter: string, durable: boolean): void {
    this.#byLink.get(link)?.setRoute(filter, durable);
  }

  routeRemoved(link: MeshLink, filter: string): void {
    this.#byLink.get(link)?.removeRoute(filter);
  }

  groupSet(link: MeshLink, filter: string, connected: number, members: number, durable: boolean): void {
    this.#byLink.get(link)?.setGroup(filter, connected, members, durable);
  }

  routesEnded(link: MeshLink): void {
    const peer = this.#byLink.get(link);
    if (peer === undefined || this.#node === undefined) return;
    peer.routesEnded();
    const isUncertain = this.#peers.some((one) => one.durable && !one.isKnown);
    if (this.#uncertain && !isUncertain) {
      this.#uncertain = false;
      this.#node.routesKnown();
    }
    this.#syncs.set(link, this.#node.retainedFor(peer));
    this.#synchronise(link);
    if (this.#isComplete) this.#complete?.();
  }

  forwarded(link: MeshLink, message: Message, target: ArrivedTarget, sequence: number, now: Millis): ForwardResult {
    const { peer } = link;
    if (peer === undefined || this.#node === undefined) return ForwardResult.Refused;
    const tagged = sequence < 0 ? -1 : peer.generation * SEQUENCES + sequence;
    return this.#node.deliver(peer, message, target, tagged, now);
  }

  answered(link: MeshLink, sequence: number, count: number, result: ForwardResult): void {
    const { peer } = link;
    if (peer === undefined) return;
    peer.answered(sequence, count, result);
    if (this.#congested.has(link)) this.#takesAgain(link);
  }

  metricsTold(link: MeshLink, metrics: Readonly<Record<string, number>>): void {
    const peer = this.#byLink.get(link);
    if (peer !== undefined) peer.metrics = metrics;
  }

  relayOpened(link: MeshLink, id: number, { info, listener }: RelayOpening): RelaySide | undefined {
    const { accept } = this.#options;
    if (accept === undefined) return undefined;
    const connection = new RelayConnection(info, link, id);
    try {
      accept(connection, listener);
    } catch (error) {
      this.#node?.problem(error as Error);
      return undefined;
    }
    return connection;
  }

  drained(link: MeshLink): void {
    this.#synchronise(link);
    this.#takesAgain(link);
  }

  closed(link: MeshLink, error: Error | undefined): void {
    const peer = this.#byLink.get(link);
    this.#byLink.delete(link);
    link.peer = undefined;
    this.#syncs.delete(link);
    if (error !== undefined && !this.#stopped) this.#node?.problem(error);
    if (peer !== undefined && peer.link === link && !this.#stopped) {
      peer.lost();
      if (peer.id < this.self) this.#dial(peer.id, FIRST_RETRY);
    }
    if (peer === undefined && !this.#stopped) this.#redial.endedEarly(link, this.#node as LocalNode);
    if (this.#congested.delete(link) && this.#congested.size === 0) this.#relieve();
  }

  // ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Publishers continue if nothing is congested any more. */
  #takesAgain(link: MeshLink): void {
    if (link.congested || link.peer?.isBehind === true) return;
    if (this.#congested.delete(link) && this.#congested.size === 0) this.#relieve();
  }

  get #isComplete(): boolean {
    return this.#peers.every((peer) => peer.up);
  }

  get #readBuffer(): ReadBuffer {
    const { arena } = this.#node as LocalNode;
    return { bytes: arena.bytes, start: arena.readStart, length: arena.readLength };
  }

  #open(connection: Connection): MeshLink {
    const node = this.#node as LocalNode;
    const link = new MeshLink(connection, node, this);
    link.greet({ id: this.self, count: this.#options.count, durable: node.durable });
    return link;
  }

  #dial(id: number, retry: number): void {
    this.#options.transport.dial(id, this.#readBuffer).then(
      (connection) => {
        if (this.#stopped) {
          connection.destroy();
          return;
        }
        const link = this.#open(connection);
        this.#redial.made(link, id, retry);
        connection.attach(link);
      },
      () => {
        if (!this.#stopped) this.#redial.later(id, retry, this.#node as LocalNode);
      },
    );
  }

  /** Sends a peer the retained messages, as fast as it reads. */
  #synchronise(link: MeshLink): void {
    const facts = this.#syncs.get(link);
    if (facts === undefined) return;
    while (link.outbox.backlog < SYNC_BURST) {
      const { value, done } = facts.next();
      if (done === true) {
        this.#syncs.delete(link);
        return;
      }
      link.forward(value.message, { plain: false, groups: undefined, retainedAt: value.stamp, isOld: true }, -1);
    }
    // If all was written in this turn the next burst follows; otherwise it follows after the drain event.
    this.#node?.flushLater({
      flush: () => {
        if (link.outbox.inTransit === 0) this.#synchronise(link);
      },
    });
  }

  /** Waits until relayed clients have read their last packet, or the time for it is over. */
  #relaysGone(): Promise<void> {
    const node = this.#node;
    const count = (): number => [...this.#byLink.keys()].reduce((sum, { relays }) => sum + relays.size, 0);
    if (node === undefined || count() === 0) return Promise.resolve();
    const end = node.now() + RELAY_GRACE;
    return new Promise((resolve) => {
      const check = (): void => {
        if (count() === 0 || node.now() >= end) resolve();
        else node.at(node.now() + 10, check);
      };
      check();
    });
  }

  #relieve(): void {
    const callbacks = this.#relieved;
    this.#relieved = [];
    for (const callback of callbacks) callback();
  }
}
