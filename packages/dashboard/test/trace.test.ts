// Traces: recorded while one looks, stopped, downloaded, opened again; the same words as on the command line.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { headerText, readTrace, recordText } from "@wrenmq/admin/trace";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, launch, signIn, visit } from "./support/browser.ts";
import { liveBroker } from "./support/live-broker.ts";

const lines = (page: Page): Promise<string[]> => page.locator(".time-line summary span").allTextContents();

describe.skipIf(!hasBrowser)("traces", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser?.close());

  test("of a client: recorded, watched, stopped, downloaded, and opened as the same time line", async () => {
    const live = await liveBroker();
    const meter = await live.client("meter-7", { username: "ada", password: "hush-1" });
    await meter.subscribeAsync("plant/#", { qos: 1 });
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "operate", "clients/meter-7");
    await page.getByRole("main").getByRole("link", { name: "Trace" }).click();
    expect(await page.getByRole("combobox", { name: "Client" }).inputValue()).toBe("meter-7");
    await one.screenshot("trace-start");
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText("meter-7 is connected").waitFor();
    await meter.publishAsync("plant/1/temperature", "21.5", { qos: 1 });
    await page.getByText(/→ PUBLISH {2}"plant\/1\/temperature"/).waitFor();
    await page.getByText(/← PUBLISH/).waitFor();
    await one.screenshot("trace");
    await one.onPhone("trace");
    // It goes on while another page is looked at.
    await page.getByRole("link", { name: "Sessions" }).first().click();
    await page.getByRole("heading", { name: "Sessions" }).waitFor();
    await meter.publishAsync("plant/2/temperature", "19", { qos: 1 });
    await page.getByRole("link", { name: "Trace", exact: true }).first().click();
    await page.getByText(/→ PUBLISH {2}"plant\/2\/temperature"/).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("recorded", { exact: true }).waitFor();
    const seen = await lines(page);
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download" }).click();
    const file = await downloading;
    expect(file.suggestedFilename()).toMatch(/^meter-7-\d{4}-\d\d-\d\d-\d{6}\.trace$/);
    const text = await readFile(await file.path(), "utf8");
    const { header, records } = readTrace(text);
    expect(text).not.toContain("hush-1");
    expect(text).not.toContain("21.5");
    // As `wrenmq trace show` prints it.
    expect(records.map((record) => recordText(record, header.at).slice(11))).toEqual(seen);
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByLabel("A trace, made here").setInputFiles(await file.path());
    await page.getByText(headerText(header)).waitFor();
    expect(await lines(page)).toEqual(seen);
    await page.getByRole("button", { name: /^Packets/ }).click();
    expect((await lines(page)).every((line) => /meter-7 #\d+ [→←]/.test(line))).toBe(true);
    await page.getByLabel("Text").fill("plant/2");
    await expect.poll(async () => (await lines(page)).length).toBe(2);
    await page.locator("summary").first().click();
    await page.locator("details pre").getByText('"kind": "packet"').waitFor();
  });

  test("of a topic, with payloads; losses stand out; whoever signs in next sees nothing of it", async () => {
    const live = await liveBroker({ broker: { limits: { maxQueuedMessages: 1, overflow: "drop-new" } } });
    const away = await live.client("away", { clean: false, properties: { sessionExpiryInterval: 600 } });
    await away.subscribeAsync("t/#", { qos: 1 });
    await away.endAsync();
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "operate", "trace?topic=t/%23");
    await page.getByLabel("with payloads").check();
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText("Nothing has happened yet.").waitFor();
    for (const payload of ["first", "second"]) live.broker.publish("t/1", payload, { qos: 1 });
    await page.locator("details.loss", { hasText: '"second"' }).waitFor();
    await page.locator("details.message", { hasText: "queued at QoS 1, 1 wait" }).waitFor();
    await page.getByRole("button", { name: /^Losses 1/ }).click();
    expect((await lines(page)).length).toBe(1);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Close" }).waitFor();
    // Whoever signs in next does not see it.
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").fill(live.tokens.read);
    await page.keyboard.press("Enter");
    await page.getByText("Whoever may only read cannot record").waitFor();
    expect(await page.locator("details").count()).toBe(0);
  });

  test("what cannot be recorded, and a file that is none, are said in one line", async () => {
    const live = await liveBroker();
    const one = await visit(browser);
    const { page } = one;
    one.allowed.push(/status of 400/);
    await signIn(one, live, "operate", "trace");
    await page.getByRole("button", { name: "Messages of a topic" }).click();
    await page.getByLabel("Topic filter").fill("a/#/b");
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByRole("alert").getByText("expected a topic filter").waitFor();
    const file = join(live.folder, "no.trace");
    await writeFile(file, "hello\n");
    await page.getByLabel("A trace, made here").setInputFiles(file);
    await page.getByRole("alert").getByText("no.trace: line 1: this is no trace").waitFor();
  });

  test("a long file is read in pieces, and shown page by page", async () => {
    const live = await liveBroker();
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "read", "trace");
    const at = Date.UTC(2026, 0, 1);
    const header = {
      kind: "header",
      at,
      version: 1,
      broker: "0.1.0",
      client: "c",
      seconds: 60,
      payloads: false,
      limits: {},
    };
    const record = (number: number) => ({
      kind: "packet",
      at: at + number,
      client: "c",
      connection: 1,
      direction: number % 2 === 0 ? "in" : "out",
      packet: { type: number % 2 === 0 ? "pingreq" : "pingresp" },
    });
    const all = [header, ...Array.from({ length: 50_000 }, (_, number) => record(number))];
    const file = join(live.folder, "long.trace");
    await writeFile(file, all.map((each) => `${JSON.stringify(each)}\n`).join(""));
    await page.getByLabel("A trace, made here").setInputFiles(file);
    await page.getByText("1–200 of 50,000").waitFor();
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText("201–400 of 50,000").waitFor();
    expect(await page.locator("summary time").first().textContent()).toBe("0.200");
  });
});
