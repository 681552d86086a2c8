// What is measured. A scenario is options of the load generator; `brokers` says which ones take part where not all do.
const message = { version: 4, qos: 0, size: 64 };
const pairs = { ...message, kind: "pairs", pairs: 100, window: 50 };
const fanIn = { ...message, kind: "fanIn", publishers: 100, window: 2_000 };
const fanOut = { ...message, kind: "fanOut", subscribers: 1_000, window: 20 };
// Of two workers one is the home of the publisher, the other of its subscriber.
const crossing = { ...pairs, homes: 2 };
const ofWorkers = ["wrenmq", "wrenmq 2 workers"];
// What is done once for each client, right after the start: with and without warming up for it (ADR 0013).
const ofTheFirst = ["wrenmq", "wrenmq cold", "mosquitto", "aedes", "nats"];
// Listener and connections with TLS; the certificate is ECDSA P-256.
const tls = { transport: "tls" };
const ofTls = ["wrenmq", "mosquitto"];
const storm = { ...message, ...tls, kind: "storm", clients: 1_000 };
const durable = { ...pairs, qos: 1, durable: true };

/** Each publisher goes through its share of so many topics; or no topic comes twice. */
function manyTopics(topics, qos, churn = 0) {
  const what = topics === "unique" ? "no topic twice" : `${topics.toLocaleString("en")} topics in all`;
  const with_ = churn === 0 ? "" : `, ${churn} clients a second come and go`;
  return { title: `100 pairs, ${what}, QoS ${qos}${with_}`, load: { ...pairs, topics, qos, churn } };
}

export const scenarios = {
  "pairs-q0": { title: "100 pairs, 50 in flight, QoS 0", load: pairs },
  "pairs-q1": { title: "100 pairs, 50 in flight, QoS 1", load: { ...pairs, qos: 1 } },
  "pairs-q2": { title: "100 pairs, 50 in flight, QoS 2", load: { ...pairs, qos: 2 } },
  "pairs-q0-v5": { title: "100 pairs, 50 in flight, QoS 0, MQTT 5", load: { ...pairs, version: 5 } },
  "ping-pong": { title: "100 pairs, 1 in flight, QoS 0", load: { ...pairs, window: 1 } },
  "fan-in-q0": { title: "fan-in 100 to 1, QoS 0", load: fanIn },
  "fan-in-q1": { title: "fan-in 100 to 1, QoS 1", load: { ...fanIn, qos: 1 } },
  "fan-in-q2": { title: "fan-in 100 to 1, QoS 2", load: { ...fanIn, qos: 2 } },
  "fan-out-q0": { title: "fan-out 1 to 1,000, QoS 0", load: fanOut },
  "fan-out-q1": { title: "fan-out 1 to 1,000, QoS 1", load: { ...fanOut, qos: 1 } },
  wildcard: {
    title: "100 wildcard pairs among 100,000 other subscriptions, QoS 0",
    load: { ...pairs, kind: "wild", background: 100_000 },
    // Its tree of subscriptions would take minutes to fill.
    slow: { aedes: { background: 2_000 } },
  },
  "topics-1k-q0": manyTopics(1_000, 0),
  "topics-100k-q0": manyTopics(100_000, 0),
  "topics-100k-q1": manyTopics(100_000, 1),
  "topics-1m-q0": manyTopics(1_000_000, 0),
  "topics-1m-q1": manyTopics(1_000_000, 1),
  "topics-unique-q0": manyTopics("unique", 0),
  "topics-unique-q1": manyTopics("unique", 1),
  "churn-pairs": {
    title: "100 pairs, QoS 0, 100 clients a second come, subscribe with wildcards and go",
    load: { ...pairs, churn: 100 },
  },
  "churn-topics-1k": manyTopics(1_000, 0, 100),
  "churn-topics-1m": manyTopics(1_000_000, 0, 100),
  "4k": { title: "100 pairs, 4 KiB, QoS 0", load: { ...pairs, size: 4_096, window: 10 } },
  "64k": { title: "50 pairs, 64 KiB, QoS 0", load: { ...pairs, pairs: 50, size: 65_536, window: 4 } },
  retained: {
    title: "20,000 retained messages replayed to a subscriber",
    load: { ...message, kind: "retained", topics: 20_000, readers: 1 },
    brokers: ofTheFirst,
  },
  "retained-10": {
    title: "20,000 retained messages replayed to 10 subscribers",
    load: { ...message, kind: "retained", topics: 20_000, readers: 10 },
  },
  connect: {
    title: "10,000 clients connect",
    load: { ...message, kind: "connects", clients: 10_000, hold: 2 },
    brokers: ofTheFirst,
  },
  "tls-connect": {
    title: "2,000 clients connect over TLS",
    load: { ...message, ...tls, kind: "connects", clients: 2_000, hold: 2 },
    brokers: ofTls,
  },
  "tls-pairs-q0": { title: "100 pairs over TLS, QoS 0", load: { ...pairs, ...tls }, brokers: ofTls },
  "tls-pairs-q1": { title: "100 pairs over TLS, QoS 1", load: { ...pairs, ...tls, qos: 1 }, brokers: ofTls },
  storm: {
    title: "1,000 clients reconnect over TLS, with the sessions they had",
    load: { ...storm, resumes: true },
    brokers: ofTls,
  },
  "storm-full": {
    title: "1,000 clients reconnect over TLS, with full handshakes",
    load: { ...storm, resumes: false },
    brokers: ofTls,
  },
  "low-rate": {
    title: "100 pairs, 2,000 messages a second in all, QoS 0",
    load: { ...pairs, rate: 2_000 },
  },
  "crossing-q0": { title: "100 pairs in two homes, QoS 0", load: crossing, brokers: ofWorkers },
  "crossing-q1": { title: "100 pairs in two homes, QoS 1", load: { ...crossing, qos: 1 }, brokers: ofWorkers },
  "crossing-q2": { title: "100 pairs in two homes, QoS 2", load: { ...crossing, qos: 2 }, brokers: ofWorkers },
  durable: {
    title: "100 pairs, 50 in flight, QoS 1, durable sessions",
    load: durable,
    brokers: ["wrenmq", "wrenmq batch", "mosquitto persistence", "aedes level"],
  },
  "durable-fsync": {
    title: "the same, on disk before it is acknowledged",
    load: durable,
    brokers: ["wrenmq", "wrenmq fsync"],
  },
};

/** Brokers that scenarios without a list of their own are measured with. */
export const usualBrokers = ["wrenmq", "mosquitto", "aedes", "nats"];
