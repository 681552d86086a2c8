// The bus between brokers that are linked each to each other one: worker processes of one machine, whose number is
// fixed, or members of a cluster that come and go.
import type { Message, Millis } from "@wrenmq/protocol";
import type { Connection, ConnectionHandler, ReadBuffer } from "@wrenmq/transport";
import type {
  ArrivedTarget,
  ClusterBus,
  ClusterReport,
  ClusterSteering,
  ForwardTarget,
  LocalNode,
} from "./cluster-bus.ts";
import { ClusterError } from "./errors.ts";
import { ForwardResult } from "./forward-result.ts";
import type { Ticket } from "./forward-ticket.ts";
import { homeOf } from "./home.ts";
import type { Greeting, LinkEvents } from "./link-events.ts";
import { Congestion } from "./mesh/congestion.ts";
import { takeLeave } from "./mesh/leave-taking.ts";
import type { MeshMember, MeshOptions } from "./mesh/mesh-options.ts";
import { OwnRoutes } from "./mesh/own-routes.ts";
import { relaysGone } from "./mesh/relays-gone.ts";
import { RetainedSync } from "./mesh/retained-sync.ts";
import { whenAllTold } from "./mesh/when-told.ts";
import { MeshLink } from "./mesh-link.ts";
import { MeshPeer } from "./mesh-peer.ts";
import type { Origin, Parcel } from "./parcel.ts";
import { FIRST_RETRY, Redial } from "./redial.ts";
import { RelayConnection, RelayEntrance, type RelaySide } from "./relay.ts";
import type { RelayOpening } from "./wire/relay-info.ts";

const SEQUENCES = 0x1_0000_0000;

export class MeshBus implements ClusterBus, LinkEvents<MeshLink> {
  readonly self: number;
  readonly steering: ClusterSteering | undefined;
  readonly #options: MeshOptions;
  #peers: MeshPeer[] = [];
  #members: readonly MeshMember[] = [];
  #node: LocalNode | undefined;
  readonly #own = new OwnRoutes(() => this.#byLink.keys());
  readonly #byLink = new Map<MeshLink, MeshPeer>();
  #sync: RetainedSync | undefined;
  readonly #congestion = new Congestion();
  #complete: (() => void) | undefined;
  readonly #redial = new Redial<MeshLink, MeshPeer>((peer, retry) => this.#dial(peer, retry));
  /** Have routes changed since the last barrier, and the barrier that peers have not passed. */
  #unknown = false;
  #uncertain = false;
  #known: Promise<void> | undefined;
  #lastRelay = 0;
  #stopped = false;
  #listening = false;

  constructor(options: MeshOptions) {
    this.self = options.self;
    this.steering = options.steering;
    this.#options = options;
  }

  get peers(): readonly MeshPeer[] {
    return this.#peers;
  }

  get congested(): boolean {
    return this.#congestion.isThere;
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
    this.#sync = new RetainedSync(node);
    this.#peers = [];
    if (count === undefined) this.setMembers(this.#members);
    else for (let id = 0; id < count; id++) if (id !== self) this.#peers.push(new MeshPeer(id, node));
    this.#own.clear();
    this.#uncertain = node.durable && this.#peers.length > 0;
  }

  /**
   * Sets the brokers that act as one, with or without this one, where they come and go. The sessions of those that are
   * missing have ended, and what was for them is for nobody.
   */
  setMembers(members: readonly MeshMember[]): void {
    this.#members = members;
    const node = this.#node;
    if (node === undefined) return;
    const isMember = ({ id, run }: MeshMember): boolean => members.some((one) => one.id === id && one.run === run);
    const gone = this.#peers.filter((peer) => !isMember(peer));
    this.#peers = this.#peers.filter(isMember);
    for (const peer of gone) {
      const { link } = peer;
      peer.gone();
      link?.fail(undefined);
    }
    for (const { id, run } of members) {
      if (id === this.self || this.#peers.some((peer) => peer.id === id)) continue;
      const peer = new MeshPeer(id, node, run);
      this.#peers.push(peer);
      if (this.#listening) this.#reach(peer);
    }
    if (this.#isComplete) this.#complete?.();
  }

  keeperOf(topic: string): number {
    const { count, self } = this.#options;
    return count === undefined ? self : homeOf(topic, count);
  }

  async start(): Promise<void> {
    const { count, transport, startTimeout = count === undefined ? Infinity : 10_000 } = this.#options;
    const node = this.#node as LocalNode;
    this.#stopped = false;
    await transport.listen((connection) => this.#open(connection), this.#readBuffer);
    this.#listening = true;
    for (const peer of this.#peers) this.#reach(peer);
    if (!this.#isComplete) await this.#whenComplete(node, startTimeout);
    if (!this.#stopped) await this.#options.whenAdmitted?.();
  }

  async #whenComplete(node: LocalNode, startTimeout: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = startTimeout === Infinity ? () => {} : node.at(node.now() + startTimeout, resolve);
      this.#complete = () => {
        cancel();
        resolve();
      };
    });
    this.#complete = undefined;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#listening = false;
    this.#redial.stop();
    this.#complete?.();
    for (const peer of this.#peers) peer.close();
    await relaysGone(this.#node, () => this.#byLink.keys());
    for (const link of [...this.#byLink.keys()]) link.end();
    await this.#options.transport.close();
    this.#congestion.relieve();
  }

  leave(): Promise<void> {
    return this.#node === undefined ? Promise.resolve() : takeLeave(this.#node, [...this.#byLink.keys()]);
  }

  abandon(): void {
    this.#stopped = true;
    this.#listening = false;
    this.#redial.stop();
    this.#complete?.();
    for (const link of [...this.#byLink.keys()]) link.fail(undefined);
    void this.#options.transport.close();
  }

  setRoute(filter: string, durable: boolean): void {
    if (this.#own.set(filter, durable)) this.#unknown = true;
  }

  removeRoute(filter: string): void {
    this.#own.remove(filter);
  }

  setGroup(filter: string, connected: number, members: number, durable: boolean): void {
    if (this.#own.setGroup(filter, { connected, members, durable })) this.#unknown = true;
  }

  forward(peer: MeshPeer, message: Message, target: ForwardTarget, ticket: Ticket | undefined): void {
    peer.forward(message, target, ticket);
    const { link } = peer;
    if (link?.congested === true) this.#congestion.add(link);
  }

  handOver(peer: MeshPeer, parcel: Parcel, target: ForwardTarget): void {
    peer.handOver(parcel, target);
    const { link } = peer;
    if (link !== undefined && (link.congested || peer.isBehind)) this.#congestion.add(link);
  }

  isFull(peer: MeshPeer, message: Message): boolean {
    return !peer.up && peer.isFull(message);
  }

  acknowledge(peer: MeshPeer, sequence: number, result: ForwardResult): void {
    if (peer.link === undefined || Math.floor(sequence / SEQUENCES) !== peer.generation) return;
    peer.link.answer(sequence % SEQUENCES, result);
  }

  whenRelieved(callback: () => void): void {
    this.#congestion.whenRelieved(callback);
  }

  whenKnown(): Promise<void> | undefined {
    if (!this.#unknown) return this.#known;
    this.#unknown = false;
    // A link of a worker is lost with the worker; other peers go on without it, and must be told first.
    const peers = this.#options.count === undefined ? this.#peers : [...this.#byLink.values()];
    if (peers.length === 0) return undefined;
    const known = whenAllTold(peers);
    this.#known = known;
    void known.then(() => {
      if (this.#known === known) this.#known = undefined;
    });
    return known;
  }

  whenCertain(): Promise<void> | undefined {
    return this.#options.whenCertain?.();
  }

  report(): ClusterReport | undefined {
    return this.#options.report?.();
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
    if (peer === undefined || count !== (this.#options.count ?? 0)) {
      throw new ClusterError("ERR_CLUSTER_PEER", `broker ${id} of ${count} is not one of ours`);
    }
    peer.link?.fail(undefined);
    this.#byLink.set(link, peer);
    link.peer = peer;
    peer.linked(link, durable);
    link.tellOrigins((this.#node as LocalNode).origins);
    this.#own.tellAll(link);
    peer.routesTold(link);
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
    // Where all keep all, only a third broker that cannot be reached needs to be told by the peer.
    const isOld = this.#options.count !== undefined || this.#peers.some((one) => one !== peer && !one.up);
    this.#sync?.begin(link, this.#node.retainedFor(peer), isOld);
    if (this.#isComplete) this.#complete?.();
  }

  retainedEnded(link: MeshLink): void {
    const peer = this.#byLink.get(link);
    if (peer === undefined) return;
    peer.isSynchronised = true;
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
    this.#congestion.progressed(link);
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
    this.#sync?.continue(link);
    this.#congestion.progressed(link);
  }

  left(link: MeshLink): void {
    this.#byLink.get(link)?.leaves();
  }

  closed(link: MeshLink, error: Error | undefined): void {
    const peer = this.#byLink.get(link);
    this.#byLink.delete(link);
    link.peer = undefined;
    this.#sync?.closed(link);
    if (error !== undefined && !this.#stopped) this.#node?.problem(error);
    if (peer !== undefined && peer.link === link && !this.#stopped) {
      peer.lost();
      this.#reach(peer);
    }
    if (peer === undefined && !this.#stopped) this.#redial.endedEarly(link, this.#node as LocalNode);
    this.#congestion.over(link);
  }

  // ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

  get #isComplete(): boolean {
    const comeAndGo = this.#options.count === undefined;
    return this.#peers.every((peer) => peer.up && (peer.isSynchronised || !comeAndGo));
  }

  get #readBuffer(): ReadBuffer {
    const { arena } = this.#node as LocalNode;
    return { bytes: arena.bytes, start: arena.readStart, length: arena.readLength };
  }

  #open(connection: Connection): MeshLink {
    const node = this.#node as LocalNode;
    const link = new MeshLink(connection, node, this);
    link.greet({ id: this.self, count: this.#options.count ?? 0, durable: node.durable });
    return link;
  }

  /** The one with the higher number connects. */
  #reach(peer: MeshPeer): void {
    if (peer.id < this.self) this.#dial(peer, FIRST_RETRY);
  }

  #dial(peer: MeshPeer, retry: number): void {
    if (!this.#peers.includes(peer)) return;
    const { id } = peer;
    this.#options.transport.dial(id, this.#readBuffer).then(
      (connection) => {
        if (this.#stopped || !this.#peers.includes(peer)) {
          connection.destroy();
          return;
        }
        const link = this.#open(connection);
        this.#redial.made(link, peer, retry);
        connection.attach(link);
      },
      () => {
        if (!this.#stopped) this.#redial.later(peer, retry, this.#node as LocalNode);
      },
    );
  }
}
