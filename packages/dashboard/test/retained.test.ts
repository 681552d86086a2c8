// The retained messages: looking through them, deleting and exporting them.
import { readFile } from "node:fs/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, launch, signIn, visit } from "./support/browser.ts";
import { liveBroker } from "./support/live-broker.ts";

describe.skipIf(!hasBrowser)("the retained messages", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser?.close());

  test("are listed by filter, by text, by size, page by page, and shown with their payload", async () => {
    const live = await liveBroker();
    for (let number = 0; number < 120; number++) live.broker.retain(`plant/${number}/value`, `${number}`);
    const publisher = await live.client("sensor-1");
    await publisher.publishAsync("site/1/state", JSON.stringify({ on: true, text: "x".repeat(100) }), {
      retain: true,
      qos: 1,
      properties: { messageExpiryInterval: 3_600, contentType: "application/json", userProperties: { unit: "C" } },
    });
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "operate", "retained");
    await page.getByRole("region", { name: "121 retained messages" }).waitFor();
    await page.getByText("1–50 of 121").waitFor();
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText("51–100 of 121").waitFor();
    await page.getByRole("button", { name: "Size" }).click();
    const topics = page.getByRole("table").locator("tbody tr");
    await expect.poll(() => topics.first().textContent()).toContain("site/1/state");
    await topics.first().getByRole("button").click();
    const message = page.getByRole("region", { name: "site/1/state" });
    await message.getByText('"on": true').waitFor();
    await message.getByRole("link", { name: "sensor-1" }).waitFor();
    await message.getByText("Property unit").waitFor();
    await one.screenshot("retained");
    expect(await message.getByRole("button", { name: "Delete" }).isDisabled()).toBe(true);
    await page.getByLabel("Topic contains").fill("/11/");
    await page.getByRole("region", { name: "1 retained message" }).waitFor();
    await page.getByLabel("Topic contains").fill("");
    await page.getByLabel("Topic filter").fill("plant/+/value");
    await page.getByRole("region", { name: "120 retained messages" }).waitFor();
    await page.getByLabel("Topic filter").fill("nothing/here");
    await page.getByText("No topic that matches has a retained message.").waitFor();
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByLabel("Topic filter").fill("#");
    await page.getByText("1–50 of 121").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    await one.screenshot("retained-phone");
  });

  test("are deleted one by one, or by filter after a dry run that says which", async () => {
    const live = await liveBroker();
    for (const topic of ["a/1", "a/2", "a/3", "b/1", "c"]) live.broker.retain(topic, topic);
    const left = () => [...live.broker.retained("#")].map(({ topic }) => topic).toSorted();
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "admin", "retained?filter=%23");
    await page.getByRole("button", { name: "b/1" }).click();
    await page.getByRole("region", { name: "b/1" }).getByRole("button", { name: "Delete" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete retained messages" });
    await dialog.getByRole("button", { name: "Delete 1", exact: true }).click();
    await page.getByText("1 retained message deleted.").waitFor();
    expect(left()).toEqual(["a/1", "a/2", "a/3", "c"]);
    await page.getByRole("region", { name: "b/1" }).waitFor({ state: "detached" });
    await page.getByLabel("Topic filter").fill("a/#");
    await page.getByRole("region", { name: "3 retained messages" }).waitFor();
    await page.getByRole("button", { name: "Delete all that match" }).click();
    await dialog.getByText("matches 3 retained messages").waitFor();
    const planned = dialog.getByRole("list", { name: "What is deleted" }).getByRole("listitem");
    expect((await planned.allTextContents()).toSorted()).toEqual(["a/1", "a/2", "a/3"]);
    await one.screenshot("retained-delete");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    expect(left()).toHaveLength(4);
    await page.getByRole("button", { name: "Delete all that match" }).click();
    await dialog.getByRole("button", { name: "Delete 3" }).click();
    await page.getByText("3 retained messages deleted.").waitFor();
    expect(left()).toEqual(["c"]);
  });

  test("are exported as lines of JSON", async () => {
    const live = await liveBroker();
    live.broker.retain("a/1", "text");
    live.broker.retain("a/2", Uint8Array.of(0xff, 0));
    live.broker.retain("b", "no");
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "operate", "retained?filter=a%2F%23");
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Export" }).click(),
    ]);
    expect(file.suggestedFilename()).toBe("retained.jsonl");
    const lines = (await readFile(await file.path(), "utf8")).trim().split("\n");
    const exported = lines.map((line) => JSON.parse(line) as { topic: string; payload: string; encoding: string });
    expect(exported.toSorted((a, b) => a.topic.localeCompare(b.topic))).toMatchObject([
      { topic: "a/1", encoding: "utf8", payload: "text" },
      { topic: "a/2", encoding: "base64", payload: "/wA=" },
    ]);
  });
});
