// What a broker has to do, in the plainest words: sessions with filters, and for each message who has to get it.
import type { BrokerFixture } from "@wrenmq/testkit";
import { ModelClient } from "./model-client.ts";

type QoS = 0 | 1 | 2;

interface ModelSession {
  readonly subscriptions: Map<string, QoS>;
  expiry: number;
  disconnectedAt: number | undefined;
  /** Messages that it has to get: payload to QoS. */
  readonly owed: Map<string, QoS>;
}

/** A message that its publisher may have to send again, and whether the broker has it. */
interface Published {
  readonly payload: string;
  readonly topic: string;
  readonly qos: QoS;
  readonly publisher: number;
  routed: boolean;
}

/** The last clients share one subscription and have no other. */
const SHARING = 2;
const SHARED = "$share/g/a/#";
const FOREVER_4 = 50;

export class ModelBroker {
  readonly clients: ModelClient[];
  readonly #fixture: BrokerFixture;
  readonly #sessions = new Map<number, ModelSession>();
  readonly #published: Published[] = [];
  /** Messages that the group has to get: payload to QoS; without those that may have gone with an ended session. */
  readonly #owedToGroup = new Map<string, QoS>();
  /** A QoS 2 message may be new to the broker when its publisher's session ended meanwhile. */
  readonly #mayRepeat = new Set<string>();

  constructor(fixture: BrokerFixture, count: number) {
    this.#fixture = fixture;
    this.clients = Array.from({ length: count }, (_, index) => new ModelClient(fixture, `client-${index}`));
  }

  connect(who: number, version: 4 | 5, clean: boolean, expiry: number, receiveMaximum: number): void {
    const client = this.#client(who);
    const session = this.#sessions.get(who);
    // A connection that is taken over ends like any other, and its session may end with it.
    if (session !== undefined && client.connected && session.expiry === 0) this.#end(who);
    if (clean) this.#end(who);
    const known = this.#sessions.get(who);
    const isKnown = known !== undefined;
    const mine = known ?? { subscriptions: new Map(), expiry: 0, disconnectedAt: undefined, owed: new Map() };
    this.#sessions.set(who, mine);
    mine.expiry = version === 5 ? expiry : clean ? 0 : FOREVER_4;
    mine.disconnectedAt = undefined;
    // What the client sends again reaches the broker with this connection.
    for (const message of this.#published) if (message.publisher === who && !message.routed) this.#route(message);
    client.connect(version, clean, expiry, receiveMaximum);
    if (client.present !== isKnown) throw new Error(`client ${who}: Session Present ${client.present}`);
    this.#everybody();
  }

  change(who: number, how: "cut" | "disconnect" | "slow" | "answer"): void {
    const client = this.#client(who);
    if (how === "slow") client.lazy = true;
    else if (how === "answer") {
      client.lazy = false;
      client.run();
    } else if (client.connected) {
      client[how]();
      this.#gone(who);
    }
    this.#everybody();
  }

  subscribe(who: number, filter: string, qos: QoS): void {
    const client = this.#client(who);
    const session = this.#sessions.get(who);
    if (!client.connected || session === undefined) return;
    const topicFilter = this.#shares(who) ? SHARED : filter;
    const granted = this.#shares(who) ? 2 : qos;
    session.subscriptions.set(topicFilter, granted);
    client.ask({
      type: "subscribe",
      packetId: client.nextPacketId(),
      subscriptions: [{ topicFilter, qos: granted, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
    });
    this.#everybody();
  }

  unsubscribe(who: number, filter: string): void {
    const client = this.#client(who);
    if (!client.connected) return;
    const topicFilter = this.#shares(who) ? SHARED : filter;
    this.#sessions.get(who)?.subscriptions.delete(topicFilter);
    client.ask({ type: "unsubscribe", packetId: client.nextPacketId(), topicFilters: [topicFilter] });
    this.#everybody();
  }

  /** @param lost the network is cut before the broker has the message */
  publish(who: number, topic: string, qos: QoS, lost: boolean): void {
    const client = this.#client(who);
    // A lazy client does not see acknowledgements: it keeps within what the broker takes.
    if (!client.connected || client.open > 50) return;
    const message: Published = {
      payload: `${who}-${this.#published.length}`,
      topic,
      qos,
      publisher: who,
      routed: lost && qos === 0,
    };
    this.#published.push(message);
    if (!lost) this.#route(message);
    client.publish(topic, message.payload, qos, lost);
    if (lost) this.#gone(who);
    this.#everybody();
  }

  wait(seconds: number): void {
    this.#fixture.clock.advanceNow(seconds * 1000);
    const now = this.#fixture.clock.now();
    for (const [who, { disconnectedAt, expiry }] of [...this.#sessions]) {
      if (disconnectedAt !== undefined && disconnectedAt + expiry * 1000 <= now) this.#end(who);
    }
    this.#everybody();
  }

  /** Everybody comes back and takes what is there. */
  settle(): void {
    for (const [who] of [...this.#sessions]) {
      const client = this.#client(who);
      client.lazy = false;
      if (!client.connected) this.connect(who, 5, false, 60, 65_535);
      client.run();
    }
    this.#everybody();
  }

  /** Everybody goes, and time passes until every session is over. */
  leave(): void {
    for (const [who, client] of this.clients.entries()) {
      if (client.connected) {
        client.disconnect();
        this.#gone(who);
      }
    }
    this.wait(1_000);
  }

  losses(): string[] {
    const lost: string[] = [];
    for (const [who, { owed }] of this.#sessions) {
      const seen = new Set(this.#client(who).accepted.map(({ payload }) => payload));
      for (const [payload, qos] of owed) if (!seen.has(payload)) lost.push(`${payload} of QoS ${qos} at client ${who}`);
    }
    const group = new Set(this.#groupMembers().flatMap((client) => client.accepted.map(({ payload }) => payload)));
    for (const [payload, qos] of this.#owedToGroup)
      if (!group.has(payload)) lost.push(`${payload} of QoS ${qos} at the group`);
    return lost;
  }

  /**
   * Messages of QoS 0 or 2 that came more than once to a client, or to more than one member of the group. What was
   * published at QoS 1 may come twice under a lower QoS too. [MQTT-3.8.4-6]
   */
  duplicates(): string[] {
    const found: string[] = [];
    const look = (name: string, accepted: ModelClient["accepted"]): void => {
      const seen = new Set<string>();
      for (const { payload, qos } of accepted) {
        const key = `${payload} of QoS ${qos}`;
        const mayRepeat = qos === 1 || this.#published[numberOf(payload)]?.qos === 1 || this.#mayRepeat.has(payload);
        if (seen.has(key) && !mayRepeat) found.push(`${key} at ${name}`);
        seen.add(key);
      }
    };
    for (const [who, client] of this.clients.entries()) {
      if (!this.#shares(who)) look(`client ${who}`, client.accepted);
    }
    look(
      "the group",
      this.#groupMembers().flatMap((client) => client.accepted),
    );
    return found;
  }

  /** Messages of one publisher, topic and QoS that came first after a later one. */
  disorder(): string[] {
    const found: string[] = [];
    for (const [who, client] of this.clients.entries()) {
      if (this.#shares(who)) continue;
      const last = new Map<string, number>();
      const seen = new Set<string>();
      for (const { payload, topic, qos } of client.accepted) {
        if (seen.has(payload) || this.#mayRepeat.has(payload)) continue;
        seen.add(payload);
        // Sent again at QoS 1 it may reach a subscription that was not there the first time.
        const publisher = Number(payload.split("-")[0]);
        if (this.#published[numberOf(payload)]?.qos === 1 && this.#client(publisher).resent.has(payload)) continue;
        const key = `${payload.split("-")[0]} ${topic} ${qos}`;
        if ((last.get(key) ?? -1) > numberOf(payload)) found.push(`${payload} at client ${who}`);
        last.set(key, numberOf(payload));
      }
    }
    return found;
  }

  #client(who: number): ModelClient {
    return this.clients[who] as ModelClient;
  }

  #shares(who: number): boolean {
    return who >= this.clients.length - SHARING;
  }

  #groupMembers(): ModelClient[] {
    return this.clients.filter((_, who) => this.#shares(who));
  }

  #everybody(): void {
    for (const client of this.clients) client.run();
    for (const [who, client] of this.clients.entries()) {
      if (client.connection?.closed === true) throw new Error(`client ${who} was disconnected`);
    }
  }

  #gone(who: number): void {
    const session = this.#sessions.get(who);
    if (session === undefined) return;
    session.disconnectedAt = this.#fixture.clock.now();
    if (session.expiry === 0) this.#end(who);
  }

  #end(who: number): void {
    if (!this.#sessions.delete(who)) return;
    // Its packet identifiers mean nothing to the broker any more: what it sends again is new.
    for (const { publisher, payload } of this.#published) if (publisher === who) this.#mayRepeat.add(payload);
    if (this.#shares(who)) this.#owedToGroup.clear();
  }

  #route(message: Published): void {
    message.routed = true;
    let toGroup = false;
    for (const session of this.#sessions.values()) {
      let granted: QoS | undefined;
      for (const [filter, qos] of session.subscriptions) {
        if (filter === SHARED) toGroup ||= matches("a/#", message.topic);
        else if (matches(filter, message.topic)) granted = Math.max(granted ?? 0, qos) as QoS;
      }
      if (granted === undefined) continue;
      const qos = Math.min(granted, message.qos) as QoS;
      // Of QoS 0 nothing is owed: a client that is slow may be cut off before it has read.
      if (qos > 0) session.owed.set(message.payload, qos);
    }
    if (toGroup && message.qos > 0) this.#owedToGroup.set(message.payload, message.qos);
  }
}

/** "4-17" is message 17, of client 4. */
function numberOf(payload: string): number {
  return Number(payload.split("-")[1]);
}

/** Section 4.7, without any thought of speed. */
function matches(filter: string, topic: string): boolean {
  const levels = filter.split("/");
  const names = topic.split("/");
  for (const [index, level] of levels.entries()) {
    if (level === "#") return true;
    if (index >= names.length || (level !== "+" && level !== names[index])) return false;
  }
  return levels.length === names.length;
}
