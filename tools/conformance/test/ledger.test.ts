// The script that keeps the ledger, on a small repository of its own.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), "../../../scripts/conformance.mjs");
const HEADER = "id\tsection\tbinds\trequirement\thow_to_observe";
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "ledger-"));
  mkdirSync(join(root, "tools/conformance/data"), { recursive: true });
  mkdirSync(join(root, "docs"));
  const data = (name: string, ...lines: string[]): void =>
    writeFileSync(join(root, "tools/conformance/data", name), `${lines.join("\n")}\n`);
  data("mqtt-3.1.1.tsv", HEADER, "MQTT-1.0.0-1\t1.0\tserver\tDoes a.\tlook", "MQTT-1.0.0-2\t1.0\tclient\tDoes b.\tno");
  data("mqtt-5.0.tsv", HEADER, "MQTT-1.0.0-1\t1.0\tboth\tDoes a|b.\tlook");
  data("untestable.tsv", "version\tid\treason", "3.1.1\tMQTT-1.0.0-2\tbinds the client alone");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Told {
  readonly title: string;
  readonly version?: string;
  readonly status?: string;
  readonly file?: string;
}

function ledger(tests: readonly Told[], ...options: string[]): { code: number | null; out: string } {
  const report = join(root, "report.json");
  const testResults = tests.map(({ title, version, status = "passed", file = "packages/x/test/y.test.ts" }) => ({
    name: join(root, file),
    assertionResults: [{ ancestorTitles: version === undefined ? [] : [`MQTT ${version}`], title, status }],
  }));
  writeFileSync(report, JSON.stringify({ testResults }));
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, report, "--root", root, ...options], {
    encoding: "utf8",
  });
  return { code: status, out: stdout + stderr };
}

const GOOD: readonly Told[] = [
  { title: "[MQTT-1.0.0-1] does it", version: "3.1.1" },
  { title: "[MQTT-1.0.0-1] does it too", file: "tools/conformance/test/mqtt-5.0/z.test.ts" },
];

test("every statement has a test or a reason: the document is written, and is then up to date", () => {
  expect(ledger(GOOD)).toMatchObject({ code: 1, out: expect.stringContaining("would change") });
  expect(ledger(GOOD, "--write").code).toBe(0);
  const document = readFileSync(join(root, "docs/conformance.md"), "utf8");
  expect(document).toContain("2 statements: 1 proved by a test, 1 that no test of a server can see.");
  expect(document).toContain(
    "| MQTT-1.0.0-1 | 1.0 | both | Does a\\|b. | does it too – `tools/conformance/test/mqtt-5.0/z.test.ts` |",
  );
  expect(document).toContain("*binds the client alone*");
  expect(ledger(GOOD).code).toBe(0);
});

test.each([
  [
    "a statement without a passing test",
    [{ ...GOOD[0], title: "[MQTT-1.0.0-1] does it", status: "failed" }, GOOD[1]],
    "no passing test",
  ],
  [
    "an id that does not exist",
    [...GOOD, { title: "[MQTT-9.9.9-9] what", version: "5.0" }],
    "there is no [MQTT-9.9.9-9]",
  ],
  ["an id without a version", [...GOOD, { title: "[MQTT-1.0.0-1] which" }], "not of which version"],
  [
    "a reason that is not needed any more",
    [...GOOD, { title: "[MQTT-1.0.0-2] seen", version: "3.1.1" }],
    "has a test now",
  ],
])("%s is told and nothing is written", (_name, tests, message) => {
  const { code, out } = ledger(tests as Told[], "--write");
  expect(code).toBe(1);
  expect(out).toContain(message);
  expect(existsSync(join(root, "docs/conformance.md"))).toBe(false);
});

test("for another broker the table tells what passed, what failed and what was not asked", () => {
  const { code, out } = ledger(
    [
      { title: "[MQTT-1.0.0-1] does it", file: "tools/conformance/test/mqtt-3.1.1/z.test.ts", status: "failed" },
      { title: "[MQTT-1.0.0-1] does it", file: "tools/conformance/test/mqtt-5.0/z.test.ts" },
    ],
    "--target",
  );
  expect(code).toBe(1);
  expect(out).toContain("## MQTT 3.1.1: 0 passed, 1 failed, 1 not asked");
  expect(out).toContain("## MQTT 5.0: 1 passed, 0 failed, 0 not asked");
});
