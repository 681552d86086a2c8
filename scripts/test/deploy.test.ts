// The examples in deploy/ fit the program: metrics that are, keys that are, commands that are.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PROMETHEUS } from "../../packages/admin/src/metrics/prometheus.ts";
import { parseConfig } from "../../packages/config/src/index.ts";
import { root } from "../workspace.mjs";

const read = (name: string): string => readFileSync(join(root, "deploy", name), "utf8");

const OTHER_METRICS = [
  "wrenmq_listener_connections",
  "wrenmq_worker_up",
  "wrenmq_draining",
  "wrenmq_store_failing",
  "wrenmq_event_loop_delay_seconds",
  ...["gc_pause", "store_commit", "publish_latency", "plugin_answer"].flatMap((name) =>
    ["", "_bucket"].map((suffix) => `wrenmq_${name}_seconds${suffix}`),
  ),
];

test("the dashboard and the page for operators ask only for metrics that there are", () => {
  const known = new Set([...Object.values(PROMETHEUS).map(({ name }) => name), ...OTHER_METRICS]);
  const page = readFileSync(join(root, "docs/operations.md"), "utf8");
  const asked = [...`${read("grafana-dashboard.json")}${page}`.matchAll(/\bwrenmq_[a-z_]+/g)].map(([name]) => name);
  expect(asked.length).toBeGreaterThan(20);
  expect(asked.filter((name) => !known.has(name))).toEqual([]);
});

test("the configurations are valid", () => {
  const inManifest = /wrenmq\.yaml: \|\n((?: {4}.*\n)+)/.exec(read("kubernetes.yaml"))?.[1] ?? "";
  for (const text of [read("wrenmq.yaml"), inManifest.replaceAll(/^ {4}/gm, "")]) {
    expect(parseConfig(text).config.admin).toMatchObject({ bind: { port: 18_080 }, insecure: true });
  }
});
