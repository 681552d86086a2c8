// The ledger: joins the normative statements of MQTT 3.1.1 and 5.0 with the tests that name them.
//
//   node scripts/conformance.mjs REPORT            checks; fails when a statement is open, or docs/conformance.md is old
//   node scripts/conformance.mjs REPORT --write    the same, and writes docs/conformance.md
//   node scripts/conformance.mjs --target REPORT   prints what another broker showed (see tools/conformance/README.md)
//
// REPORT is what vitest writes with `--reporter=json --outputFile=REPORT`. A test proves the statements whose ids stand in
// square brackets in its title; their version is told by its path or by a describe block ("MQTT 3.1.1", "MQTT 5.0").
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const VERSIONS = ["3.1.1", "5.0"];
const ID = /\[(MQTT-[0-9.]+-[0-9]+)\]/g;
const DOCUMENT = "docs/conformance.md";

const words = process.argv.slice(2);
const option = (name) => words.includes(name);
const argumentOf = (name) => (option(name) ? words[words.indexOf(name) + 1] : undefined);
const root = argumentOf("--root") ?? dirname(dirname(fileURLToPath(import.meta.url)));
const reportPath = words.find((word, index) => !word.startsWith("--") && words[index - 1] !== "--root");
if (reportPath === undefined) {
  console.error("usage: node scripts/conformance.mjs [--target] REPORT [--write]");
  process.exit(2);
}

const read = (path) => readFileSync(join(root, path), "utf8");

function rows(path) {
  const [header, ...lines] = read(path)
    .split("\n")
    .filter((line) => line !== "");
  const names = header.split("\t");
  return lines.map((line) => Object.fromEntries(line.split("\t").map((cell, index) => [names[index], cell])));
}

const statements = new Map(VERSIONS.map((version) => [version, rows(`tools/conformance/data/mqtt-${version}.tsv`)]));
const known = new Map(VERSIONS.map((version) => [version, new Set(statements.get(version).map(({ id }) => id))]));
const reasons = new Map(VERSIONS.map((version) => [version, new Map()]));
const problems = [];
for (const { version, id, reason } of rows("tools/conformance/data/untestable.tsv")) {
  if (known.get(version)?.has(id) !== true) problems.push(`untestable.tsv: there is no [${id}] in MQTT ${version}`);
  else if (!reason) problems.push(`untestable.tsv: [${id}] of MQTT ${version} has no reason`);
  else reasons.get(version).set(id, reason);
}

/** Every test that names a statement: { version, id, title, file, status }. */
function claims(report) {
  const found = [];
  for (const { name, assertionResults } of report.testResults) {
    const file = relative(root, name).replaceAll("\\", "/");
    for (const { ancestorTitles, title, status } of assertionResults) {
      const whole = [...ancestorTitles, title].join(" ");
      const ids = new Set([...whole.matchAll(ID)].map((match) => match[1]));
      if (ids.size === 0) continue;
      const version = VERSIONS.find(
        (one) => file.includes(`mqtt-${one}`) || ancestorTitles.some((ancestor) => ancestor.includes(`MQTT ${one}`)),
      );
      if (version === undefined) {
        problems.push(`${file}: "${title}" names a statement, but not of which version`);
        continue;
      }
      for (const id of ids) {
        if (!known.get(version).has(id)) problems.push(`${file}: there is no [${id}] in MQTT ${version}`);
        found.push({ version, id, title: title.replace(ID, "").replace(/\s+/g, " ").trim(), file, status });
      }
    }
  }
  return found;
}

const all = claims(JSON.parse(readFileSync(reportPath, "utf8")));
const of = (version, id) => all.filter((claim) => claim.version === version && claim.id === id);
const cell = (text) => text.replaceAll("|", "\\|");

if (option("--target")) printTarget();
else check();

function check() {
  const tables = VERSIONS.map((version) => {
    let proved = 0;
    const lines = statements.get(version).map(({ id, section, binds, requirement }) => {
      const passed = of(version, id).filter(({ status }) => status === "passed");
      const reason = reasons.get(version).get(id);
      if (passed.length > 0) {
        proved++;
        if (reason !== undefined) problems.push(`untestable.tsv: [${id}] of MQTT ${version} has a test now`);
      } else if (reason === undefined) {
        const others = of(version, id).map(({ status, title }) => `${status}: ${title}`);
        problems.push(`[${id}] of MQTT ${version} has no passing test and no reason ${others.join("; ")}`.trim());
      }
      // One test stands for all, the same whatever others there are: from our own suite if there is one there.
      const [first] = passed.sort(
        (a, b) => rank(a) - rank(b) || (`${a.file} ${a.title}` < `${b.file} ${b.title}` ? -1 : 1),
      );
      const proof = first ? `${cell(first.title)} – \`${first.file}\`` : `*${cell(reason ?? "open")}*`;
      return `| ${id} | ${section} | ${binds} | ${cell(requirement)} | ${proof} |`;
    });
    const total = lines.length;
    return [
      `## MQTT ${version}`,
      "",
      `${total} statements: ${proved} proved by a test, ${total - proved} that no test of a server can see.`,
      "",
      "| Statement | Section | Binds | In short | Proved by (or *why not*) |",
      "| --- | --- | --- | --- | --- |",
      ...lines,
      "",
    ].join("\n");
  });
  const text = [
    "# Conformance",
    "",
    "Every numbered normative statement of MQTT 3.1.1 and 5.0 (OASIS), with a test that proves it; where there are several,",
    "one of them. Generated from the tests by `node scripts/conformance.mjs REPORT --write`; `npm test` fails when a",
    "statement loses its last test. The statements are in words of our own: the standard decides.",
    "",
    ...tables,
  ].join("\n");
  const old = existsSync(join(root, DOCUMENT)) ? read(DOCUMENT) : "";
  if (option("--write") && problems.length === 0) writeFileSync(join(root, DOCUMENT), text);
  else if (old !== text && problems.length === 0) {
    problems.push(
      `${DOCUMENT} would change: run \`node scripts/conformance.mjs ${reportPath} --write\` and look at the difference`,
    );
  }
  for (const problem of problems) console.error(problem);
  for (const line of text.split("\n")) if (/^\d+ statements/.test(line)) console.log(line);
  process.exit(problems.length > 0 ? 1 : 0);
}

function rank({ file }) {
  return file.startsWith("tools/conformance/") ? 0 : 1;
}

/** Only what was shown by asking the broker: tests of our own packages prove nothing about it. */
function printTarget() {
  let failed = 0;
  for (const version of VERSIONS) {
    const counts = { passed: 0, failed: 0, open: 0 };
    const lines = statements.get(version).map(({ id, requirement }) => {
      const asked = of(version, id).filter((claim) => rank(claim) === 0 && claim.status !== "skipped");
      const bad = asked.filter(({ status }) => status === "failed");
      const outcome = asked.length === 0 ? "open" : bad.length > 0 ? "failed" : "passed";
      counts[outcome]++;
      const why =
        outcome === "open"
          ? (reasons.get(version).get(id) ?? "needs a broker that is set up for it")
          : (bad[0] ?? asked[0]).title;
      return `| ${id} | ${outcome} | ${cell(requirement)} | ${cell(why)} |`;
    });
    failed += counts.failed;
    console.log(`## MQTT ${version}: ${counts.passed} passed, ${counts.failed} failed, ${counts.open} not asked\n`);
    console.log(
      [
        "| Statement | Outcome | In short | Test, or why there was none |",
        "| --- | --- | --- | --- |",
        ...lines,
        "",
      ].join("\n"),
    );
  }
  for (const problem of problems) console.error(problem);
  process.exit(failed > 0 || problems.length > 0 ? 1 : 0);
}
