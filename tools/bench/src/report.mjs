// Prints medians of the runs as Markdown tables.
import { scenarios } from "./scenarios.mjs";

export function median(values) {
  const sorted = values.filter((value) => value !== undefined && value !== null).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function number(value, digits = 2) {
  if (value === undefined) return "–";
  if (Math.abs(value) >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (Math.abs(value) >= 1e4) return `${Math.round(value / 1e3)} k`;
  return value >= 100 ? value.toFixed(0) : value.toFixed(digits);
}

/** Medians of every figure, and the worst of those that should be 0. */
function summary(runs) {
  const ok = runs.filter((run) => run.figures.failed === undefined);
  const of = (key) => median(ok.map((run) => run.figures[key]));
  const worst = (key) => Math.max(0, ...runs.map((run) => run.figures[key] ?? 0));
  const failed = runs.find((run) => run.figures.failed !== undefined)?.figures.failed;
  return { ok: ok.length, of, worst, failed };
}

function table(title, head, rows) {
  const filled = rows.filter((row) => row.slice(1).some((cell) => cell !== ""));
  if (filled.length === 0) return "";
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [`\n### ${title}\n`, line(head), line(head.map(() => "---")), ...filled.map(line), ""].join("\n");
}

export function report(runs) {
  const names = [...new Set(runs.map((run) => run.broker))];
  const ids = [...new Set(runs.map((run) => run.scenario))];
  const cellOf = new Map();
  for (const id of ids) {
    for (const name of names) {
      cellOf.set(`${id} ${name}`, summary(runs.filter((run) => run.scenario === id && run.broker === name)));
    }
  }
  const cells = (make, whenFailed = "") =>
    ids.map((id) => [
      scenarios[id].title,
      ...names.map((name) => {
        const cell = cellOf.get(`${id} ${name}`);
        if (cell.ok === 0) return cell.failed === undefined ? "" : whenFailed;
        return make(cell, cellOf.get(`${id} ${names[0]}`), name);
      }),
    ]);
  const relative = (key) => (cell, reference, name) => {
    const value = cell.of(key);
    if (value === undefined) return "";
    const mark = cell.worst("lost") > 0 ? "*" : "";
    const first = reference.of(key);
    if (name === names[0] || first === undefined) return number(value) + mark;
    return `${number(value)}${mark} (${number(value / first)}×)`;
  };
  const head = ["scenario", ...names];
  const detail = (key, digits) => (cell) => {
    const value = cell.of(key);
    return value === undefined ? "" : number(value, digits);
  };
  let text = table(
    `Broker CPU, µs per delivered message (per connection for connects); in brackets: times ${names[0]}`,
    head,
    cells(relative("cpuPerMessage"), "failed"),
  );
  text += table("Messages delivered (connections made) in a second", head, cells(relative("rate")));
  text += table(
    "Latency p50 / p99, ms",
    head,
    cells((cell) => (cell.of("p50") === undefined ? "" : `${number(cell.of("p50"))} / ${number(cell.of("p99"))}`)),
  );
  text += table(
    "Cores in use: broker / generator",
    head,
    cells((cell) =>
      cell.of("brokerCpu") === undefined ? "" : `${number(cell.of("brokerCpu"))} / ${number(cell.of("generatorCpu"))}`,
    ),
  );
  text += table("Resident bytes of an idle connection", head, cells(detail("bytesPerConnection", 0)));
  text += table("µs of CPU to set a retained message", head, cells(detail("setCpuPerMessage", 2)));
  text += table("Resident bytes of a retained message", head, cells(detail("bytesPerRetained", 0)));
  text += table(
    "Peak of resident memory, MB",
    head,
    cells((cell) => (cell.of("peak") ? number(cell.of("peak") / 1e6, 0) : "")),
  );
  return text + oddities(ids, names, cellOf);
}

function oddities(ids, names, cellOf) {
  const lines = [];
  for (const id of ids) {
    for (const name of names) {
      const { worst, failed } = cellOf.get(`${id} ${name}`);
      const odd = ["lost", "duplicated", "reordered", "corrupt", "stalls"].filter((key) => worst(key) > 0);
      const words = odd.map((key) => `${worst(key)} ${key}`);
      if (failed !== undefined) words.push(failed.trim().split("\n")[0]);
      if (words.length > 0) lines.push(`- ${name}, ${id}: ${words.join(", ")}`);
    }
  }
  if (lines.length === 0) return "\nNo message was lost, duplicated, reordered or corrupt.\n";
  return `\n### Not as it should be (worst of the runs)\n\n${lines.join("\n")}\n`;
}
