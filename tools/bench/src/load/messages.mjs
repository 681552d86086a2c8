// Measures messages from publishers to subscribers, within a window, for a time: pairs, fan-in, fan-out, wildcards.
import { encode } from "@wrenmq/codec";
import { cpuBetween, sample } from "../processes.mjs";
import { Churn } from "./churn.mjs";
import { Histogram, Ledger, makePayload } from "./ledger.mjs";
import { atEndOfTurn, each, openLinks } from "./link.mjs";
import { awayFrom } from "./names.mjs";
import { TopicSeries } from "./topic-series.mjs";

/** Milliseconds without a delivery after which messages in flight count as lost, unless the options say `stall`. */
const STALL = 2_000;
const MAX_STALLS = 3;

/** A publisher: sends copies of one packet with other numbers, times and packet identifiers. */
class Publisher {
  sent = 0;
  /** Messages that every subscriber has received. */
  done = 0;
  acknowledged = 0;
  #link;
  #template;
  #payloadAt;
  #packetIdAt;
  #topicEnd;
  #series;
  #window;
  #perMessage;
  #pending = new Map();
  #waits = false;
  /** False when the time is over. */
  open = true;
  /** Times from PUBLISH to its acknowledgement (QoS 2: PUBCOMP); acknowledgements come in the order of the messages. */
  acknowledgements = new Histogram();
  #sentAt = new Float64Array(65_536);
  #answered = 0;
  /** How many messages may have been sent by now. */
  #due;

  constructor(link, { version, topic, series, payload, qos, window, receivers, due }) {
    this.#due = due;
    this.#link = link;
    this.#window = window;
    this.#perMessage = receivers;
    const packet = { type: "publish", topic, payload, qos, retain: false, dup: false };
    this.#template = Buffer.from(encode(qos > 0 ? { ...packet, packetId: 1 } : packet, version));
    this.#payloadAt = this.#template.length - payload.length;
    this.#packetIdAt = qos > 0 ? this.#payloadAt - 2 - (version === 5 ? 1 : 0) : -1;
    this.#topicEnd = topicEnd(this.#payloadAt, version, qos);
    this.#series = series;
    link.onAcknowledged = () => {
      this.acknowledgements.add(performance.now() - this.#sentAt[this.#answered++ % 65_536]);
      this.acknowledged++;
      this.wake();
    };
    if (qos === 0) this.acknowledged = Number.POSITIVE_INFINITY;
  }

  /** At the end of this turn, sends what the window allows. */
  wake() {
    if (this.#waits || !this.open) return;
    this.#waits = true;
    atEndOfTurn(() => this.#fill());
  }

  #fill() {
    this.#waits = false;
    const now = performance.now();
    const unanswered = this.#window - Math.max(this.sent - this.done, this.sent - this.acknowledged);
    const free = this.#due === undefined ? unanswered : Math.min(unanswered, this.#due(now) - this.sent);
    const size = this.#template.length;
    for (let n = 0; n < free; n++) {
      const at = this.#link.reserve(size);
      const { out } = this.#link;
      this.#template.copy(out, at);
      out.writeDoubleLE(now, at + this.#payloadAt);
      out.writeUInt32LE(this.sent, at + this.#payloadAt + 8);
      if (this.#packetIdAt > 0) out.writeUInt16BE((this.sent % 65_535) + 1, at + this.#packetIdAt);
      this.#series?.write(out, at + this.#topicEnd, this.sent);
      this.#sentAt[this.sent % 65_536] = now;
      this.sent++;
    }
  }

  delivered(seq) {
    const rest = this.#perMessage === 1 ? 0 : (this.#pending.get(seq) ?? this.#perMessage) - 1;
    if (rest > 0) {
      this.#pending.set(seq, rest);
      return;
    }
    if (this.#perMessage > 1) this.#pending.delete(seq);
    this.done++;
    this.wake();
  }

  /** Counts messages in flight as lost. */
  writeOff() {
    this.#pending.clear();
    this.done = this.sent;
    this.acknowledged = Math.max(this.acknowledged, this.sent);
    this.wake();
  }
}

/** End of the topic in a packet without properties. */
function topicEnd(payloadAt, version, qos) {
  return payloadAt - (version === 5 ? 1 : 0) - (qos > 0 ? 2 : 0);
}

/** The topics and filters of a scenario: `filters[i]` are those of subscriber i, `topics[i]` is that of publisher i. */
function layout({ kind, pairs, subscribers, publishers, topics }) {
  const range = (count, make) => Array.from({ length: count }, (_, i) => make(i));
  if (topics !== undefined) {
    const series = range(pairs, (i) => new TopicSeries(i, pairs, topics));
    return {
      filters: range(pairs, (i) => [TopicSeries.filter(i)]),
      topics: series.map(({ topic }) => topic),
      series,
      receivers: 1,
    };
  }
  switch (kind) {
    case "pairs":
      return { filters: range(pairs, (i) => [`pp/${i}/t`]), topics: range(pairs, (i) => `pp/${i}/t`), receivers: 1 };
    case "wild":
      return {
        filters: range(pairs, (i) => [`a/+/c${i}/#`]),
        topics: range(pairs, (i) => `a/b/c${i}/d`),
        receivers: 1,
      };
    case "fanIn":
      return { filters: [["fi/+"]], topics: range(publishers, (i) => `fi/${i}`), receivers: 1 };
    case "fanOut":
      return { filters: range(subscribers, () => ["fo/t"]), topics: ["fo/t"], receivers: subscribers };
    default:
      throw new Error(`no such kind: ${kind}`);
  }
}

/** Filters with the same first levels as the measured ones, none of which matches their topics. */
function backgroundFilter(i) {
  return [`a/+/y${i}/z`, `a/n${i}/#`, `s/d${i % 100}/t${i}`, `+/n${i}/c/d`][i % 4];
}

async function openBackground(options, count) {
  if (count === 0) return [];
  const { backgroundClients: clients = 100 } = options;
  const links = await openLinks(clients, options.version, options.port, (i) => ({ clientId: `background-${i}` }));
  await each(links, (link, i) => {
    const filters = [];
    for (let n = i; n < count; n += clients) filters.push(backgroundFilter(n));
    return link.subscribe(filters, 0);
  });
  return links;
}

/** Messages that are due at a time, so many a second from now on; `phase`, below 1, shifts them. */
function evenly(perSecond, phase) {
  const began = performance.now();
  return (now) => Math.floor(((now - began) / 1000) * perSecond + phase);
}

/** @returns figures of the time between warm-up and the last message */
export async function messages(options) {
  const {
    version,
    port,
    pid,
    qos,
    size,
    window,
    warmup,
    duration,
    background = 0,
    durable = false,
    frozen = 0,
    homes = 1,
    churn = 0,
    rate = 0,
    transport = "tcp",
    stall = STALL,
    signal,
  } = options;
  const { filters, topics, series, receivers } = layout(options);
  const tls = transport === "tls" ? {} : undefined;
  const others = await openBackground(options, background);
  const subscribers = await openLinks(filters.length, version, port, (i) => ({
    clientId: homes === 1 ? `subscriber-${i}` : awayFrom(`publisher-${i}`, `subscriber-${i}`, homes),
    cleanStart: !durable,
    tls,
  }));
  await each(subscribers, (link, i) => link.subscribe(filters[i], qos));
  const senders = await openLinks(topics.length, version, port, (i) => ({ clientId: `publisher-${i}`, tls }));
  const stuck = await openLinks(frozen, version, port, (i) => ({ clientId: `frozen-${i}` }));
  await each(stuck, (link) => link.subscribe(filters[0], qos));
  for (const link of stuck) link.freeze();

  const ledger = new Ledger(size);
  let latency = new Histogram();
  let lastArrival = performance.now();
  let broken;
  // One window for all publishers in fan-in, so that the only subscriber is not flooded; otherwise one for each.
  const share = options.kind === "fanIn" ? Math.max(1, Math.floor(window / topics.length)) : window;
  const publishers = senders.map(
    (link, i) =>
      new Publisher(link, {
        version,
        topic: topics[i],
        series: series?.[i],
        payload: makePayload(size, i),
        qos,
        window: share,
        receivers,
        due: rate === 0 ? undefined : evenly(rate / senders.length, i / senders.length),
      }),
  );
  subscribers.forEach((link, i) => {
    link.onMessage = (_, bytes, start, end) => {
      const now = performance.now();
      const seq = ledger.book(i, bytes, start, end);
      if (seq < 0) return;
      if (series?.[i].isOf(bytes, topicEnd(start, version, qos), seq) === false) ledger.corrupt++;
      lastArrival = now;
      latency.add(now - bytes.readDoubleLE(start));
      publishers[bytes.readUInt32LE(start + 12)].delivered(seq);
    };
  });
  for (const link of [...subscribers, ...senders]) {
    link.onClosed = (error) => {
      broken ??= error;
    };
  }

  let stalls = 0;
  const watch = setInterval(() => {
    if (performance.now() - lastArrival < stall) return;
    lastArrival = performance.now();
    stalls++;
    if (stalls >= MAX_STALLS) broken ??= new Error("no messages arrive");
    for (const publisher of publishers) publisher.writeOff();
  }, 200);
  for (const publisher of publishers) publisher.wake();
  const pace = setInterval(
    () => {
      if (rate > 0) for (const publisher of publishers) publisher.wake();
    },
    rate > 0 ? 1 : 60_000,
  );
  const visitors = new Churn(churn, options);

  const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  await wait(warmup * 1000);
  latency = new Histogram();
  // Signals the begin and the end of the measured time to a profiler in the broker.
  if (signal !== undefined) process.kill(pid, signal);
  const before = sample(pid);
  const [from, received, own] = [performance.now(), ledger.received, process.cpuUsage()];
  for (const end = from + duration * 1000; performance.now() < end && broken === undefined; ) await wait(20);
  const after = sample(pid);
  if (signal !== undefined) process.kill(pid, signal);
  const delivered = ledger.received - received;
  const seconds = (performance.now() - from) / 1000;
  const spent = process.cpuUsage(own);
  clearInterval(watch);
  clearInterval(pace);
  for (const publisher of publishers) publisher.open = false;
  await visitors.stop();
  const wanted = () => publishers.reduce((sum, publisher) => sum + publisher.sent, 0) * receivers;
  for (lastArrival = performance.now(); ledger.received < wanted() && performance.now() - lastArrival < stall; ) {
    await wait(10);
  }
  // Time for the acknowledgements of the last messages.
  await wait(50);
  for (const link of [...others, ...subscribers, ...senders]) link.close();
  for (const link of stuck) link.destroy();
  const cpu = cpuBetween(before, after);
  return {
    delivered,
    seconds,
    rate: delivered / seconds,
    cpuPerMessage: cpu === undefined || delivered === 0 ? undefined : cpu / delivered,
    brokerCpu: cpu === undefined ? undefined : cpu / 1e6 / seconds,
    generatorCpu: (spent.user + spent.system) / 1e6 / seconds,
    p50: latency.quantile(0.5),
    p99: latency.quantile(0.99),
    max: latency.max,
    peak: after?.peak,
    lost: wanted() - ledger.received,
    duplicated: ledger.duplicated,
    reordered: ledger.reordered,
    corrupt: ledger.corrupt,
    stalls,
    longestAcknowledgement: Math.max(...publishers.map(({ acknowledgements }) => acknowledgements.max)),
    unacknowledged: qos === 0 ? 0 : publishers.reduce((sum, { sent, acknowledged }) => sum + sent - acknowledged, 0),
    ...(churn === 0 ? {} : { visitors: visitors.count }),
    ...(broken === undefined ? {} : { failed: broken.message }),
  };
}
