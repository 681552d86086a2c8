// `npm test`: installs, checks types, lints, builds, runs every test. The last line is "N passed, N failed": tests that
// passed; tests and steps that failed.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { install, root, run, tool, turbo } from "./pnpm.mjs";

const failures = [];
const say = (line) => process.stdout.write(`${line}\n`);

function step(name, ...actions) {
  const began = Date.now();
  say(`\n=== ${name}`);
  const ok = actions.map((action) => action()).every((code) => code === 0);
  say(`=== ${name}: ${ok ? "ok" : "FAILED"} (${Math.round((Date.now() - began) / 1000)} s)`);
  if (!ok) failures.push(`step: ${name}`);
  return ok;
}

function finish(passed, skipped) {
  say("");
  for (const failure of failures) say(`FAILED ${failure}`);
  if (skipped > 0) say(`${skipped} skipped`);
  say(`${passed} passed, ${failures.length} failed`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}

/** Adds what failed to the failures; returns the numbers of the others. */
function readReport(file, exitCode) {
  const before = failures.length;
  if (!existsSync(file)) {
    failures.push("step: tests (no report)");
    return { passed: 0, skipped: 0 };
  }
  const { testResults, numPassedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(file, "utf8"));
  for (const { name, status, message, assertionResults } of testResults) {
    const path = relative(root, name);
    const failed = assertionResults.filter((test) => test.status === "failed");
    for (const { fullName, failureMessages } of failed) {
      failures.push(`${path}: ${fullName}\n    ${(failureMessages[0] ?? "").split("\n")[0]}`);
    }
    // The file itself could not be run.
    if (status === "failed" && failed.length === 0) failures.push(`${path}: ${(message ?? "").split("\n")[0]}`);
  }
  if (exitCode !== 0 && failures.length === before) failures.push("step: tests (an error outside of any test)");
  return { passed: numPassedTests, skipped: numPendingTests + numTodoTests };
}

if (step("install", install)) {
  step("types", () => run(process.execPath, ["scripts/typecheck.mjs"]));
  step(
    "lint",
    () => tool("biome", "check", "."),
    () => tool("eslint", "."),
  );
  step("build", () => turbo("build", "--continue"));
  step("packages", () => run(process.execPath, ["scripts/check-packages.mjs"]));
  const report = join(root, ".vitest-report.json");
  rmSync(report, { force: true });
  say("\n=== tests");
  const code = tool("vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`);
  const { passed, skipped } = readReport(report, code);
  step("every normative statement", () => run(process.execPath, ["scripts/conformance.mjs", report]));
  finish(passed, skipped);
} else {
  finish(0, 0);
}
