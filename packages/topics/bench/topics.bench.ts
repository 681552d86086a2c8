// Match cost among 10^3 to 10^6 filters, and bytes per subscription and per topic.
// Run: `pnpm --filter @wrenmq/topics bench`. Prints a table; the numbers in the README are from here.
import { isTopicFilter, isTopicName, SubscriptionTree, TopicTree, topicMatches } from "../src/index.ts";

declare const gc: undefined | (() => void);
declare const process: { memoryUsage(): { heapUsed: number } };
declare const performance: { now(): number };
declare const console: { log(...values: unknown[]): void };

const sizes = [1_000, 10_000, 100_000, 1_000_000];

function usedBytes(): number {
  gc?.();
  gc?.();
  return process.memoryUsage().heapUsed;
}

/** Median nanoseconds for one call of `run` out of 7 rounds. */
function nanoseconds(run: (i: number) => void, calls = 200_000): number {
  const rounds: number[] = [];
  for (let round = 0; round < 7; round++) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) run(i);
    rounds.push(((performance.now() - start) * 1e6) / calls);
  }
  rounds.sort((a, b) => a - b);
  return Math.round(rounds[3] ?? Number.NaN);
}

const shapes: Record<string, (i: number) => { filter: string; topic: string }> = {
  "own filter each (devices/N/cmd/#)": (i) => ({ filter: `devices/${i}/cmd/#`, topic: `devices/${i}/cmd/reboot` }),
  "three each (site/S/N/{a,b,+})": (i) => {
    const n = Math.floor(i / 3);
    const path = `site/${n % 100}/${n}`;
    return { filter: `${path}/${["a", "b", "+"][i % 3]}`, topic: `${path}/a` };
  },
  "wildcards in front (+/N/state)": (i) => ({ filter: `+/${i}/state`, topic: `home/${i}/state` }),
};

let hits = 0;
/** What a round was made from: kept until the next one, lest its memory be taken for something that the tree saved. */
let inputs: unknown[] = [];

function ownFilters(name: string, shape: (i: number) => { filter: string; topic: string }, size: number): void {
  // Filters and keys belong to the sessions: they are made first (in one piece, by looking at them) and not counted.
  const filters = Array.from({ length: size }, (_, i) => shape(i).filter).filter((filter) => isTopicFilter(filter));
  const keys = filters.map((_, i) => `client-${i}`);
  const value = { qos: 1 };
  inputs = [filters, keys];
  const before = usedBytes();
  const tree = new SubscriptionTree<string, { qos: number }>();
  const start = performance.now();
  for (let i = 0; i < size; i++) tree.set(filters[i] ?? "", keys[i] ?? "", value);
  const set = Math.round(((performance.now() - start) * 1e6) / size);
  const bytes = Math.round((usedBytes() - before) / size);
  // 1,000 topics from all over the tree, so that the working set is the same at every size.
  const topics = Array.from({ length: 1000 }, (_, i) => shape(Math.floor((i * size) / 1000)).topic);
  const match = nanoseconds((i) => tree.match(topics[i % 1000] ?? "", () => hits++));
  const strangers = ["nobody/listens/here", "devices/none/cmd/x"];
  const miss = nanoseconds((i) => tree.match(strangers[i % 2] ?? "", () => hits++));
  console.log(`${name} | ${size} | match ${match} ns | no match ${miss} ns | set ${set} ns | ${bytes} B/subscription`);
}

function oneFilter(size: number): void {
  const keys = Array.from({ length: size }, (_, i) => `client-${i}`);
  inputs = [keys];
  const before = usedBytes();
  const tree = new SubscriptionTree<string, number>();
  for (const key of keys) tree.set("news", key, 1);
  const bytes = Math.round((usedBytes() - before) / size);
  const visit = nanoseconds(() => tree.match("news", () => hits++), 3) / size;
  console.log(`one filter for all | ${size} | ${visit.toFixed(1)} ns per visited entry | ${bytes} B/subscription`);
}

function retained(size: number): void {
  const name = (_: unknown, i: number): string => `site/${i % 100}/${Math.floor(i / 100)}/state`;
  const flat = Array.from({ length: size }, name).filter((topic) => isTopicName(topic));
  inputs = [flat];
  const before = usedBytes();
  const tree = new TopicTree<number>();
  for (const topic of flat) tree.set(topic, 1);
  const bytes = Math.round((usedBytes() - before) / size);
  const exact = nanoseconds((i) => tree.match(flat[(Math.floor((i % 1000) * size) / 1000) | 0] ?? "", () => hits++));
  const all = nanoseconds(() => tree.match("site/+/+/state", () => hits++), Math.max(1, 100_000 / size)) / size;
  console.log(`topics | ${size} | exact ${exact} ns | wildcard ${Math.round(all)} ns per topic | ${bytes} B/topic`);
}

for (const [name, shape] of Object.entries(shapes)) for (const size of sizes) ownFilters(name, shape, size);
oneFilter(1_000_000);
for (const size of sizes) retained(size);
const topics = ["sport/tennis/player1/ranking", "sport/tennis/player2"];
const single = nanoseconds((i) => {
  if (topicMatches("sport/+/player1/#", topics[i % 2] ?? "")) hits++;
}, 1_000_000);
console.log(`topicMatches | ${single} ns (${hits} matches in all, ${inputs.length} inputs)`);
