// The tree of topics that fills as messages come.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, launch, PHONE, signIn, visit } from "./support/browser.ts";
import { liveBroker } from "./support/live-broker.ts";

const row = (page: Page, topic: string) => page.getByRole("tree").getByTitle(topic, { exact: true });
const live = (page: Page) => page.getByRole("main").getByText("live", { exact: true }).waitFor();

describe.skipIf(!hasBrowser)("the topics page", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser?.close());

  test("shows each topic with its count, last value and retained mark; of one its messages, numbers and differences", async () => {
    const broker = await liveBroker();
    const publisher = await broker.client("sensor-1");
    const one = await visit(browser);
    const { page } = one;
    await publisher.publishAsync("plant/hall/state", "on", { retain: true, qos: 1 });
    await signIn(one, broker, "operate", "topics");
    await live(page);
    await row(page, "plant/hall/state").getByText("on").waitFor();
    await row(page, "plant/hall/state").getByTitle("There is a retained message").waitFor();
    for (const [index, temperature] of [20.5, 21, 22.5].entries()) {
      await publisher.publishAsync("plant/hall/1", JSON.stringify({ temperature, unit: "C", at: { number: index } }));
      await publisher.publishAsync("plant/hall/2", String(temperature * 2));
    }
    await row(page, "plant/hall/1").click();
    const details = page.getByRole("region", { name: "plant/hall/1" });
    await details.getByText('"temperature": 22.5').waitFor();
    const difference = page.getByRole("region", { name: "Different from the message before" });
    expect(await difference.getByRole("listitem").allTextContents()).toEqual(["temperature2122.5", "at.number12"]);
    await page.getByRole("img", { name: "Value: temperature 22.5" }).waitFor();
    await page.getByLabel("Number to plot").selectOption("at.number");
    await page.getByRole("img", { name: "Value: at.number 2" }).waitFor();
    await page.getByRole("button", { name: /"temperature":20.5/ }).click();
    await details.getByText("an earlier message").waitFor();
    await details.getByText('"temperature": 20.5').waitFor();
    await one.screenshot("topics");
    await row(page, "plant/hall/2").click();
    await page.getByRole("img", { name: "Value: the payload 45" }).waitFor();
    await publisher.publishAsync("plant/hall/2", "50");
    await page.getByRole("img", { name: "Value: the payload 50" }).waitFor();
    await page.getByRole("button", { name: "Look: system" }).click();
    await one.screenshot("topics-dark");
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    await one.screenshot("topics-phone");
  });

  test("watches the filter that is asked for, can be paused, and says what it has left out", async () => {
    const broker = await liveBroker();
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, broker, "operate", "topics");
    await live(page);
    await page.getByLabel("Watch the topic filter").fill("a/+");
    await page.keyboard.press("Enter");
    await page.getByRole("region", { name: "Topics that a/+ matches" }).waitFor();
    expect(page.url()).toMatch(/filter=a%2F%2B$/);
    await live(page);
    broker.broker.publish("b/1", "no");
    broker.broker.publish("a/1", "yes");
    await row(page, "a/1").waitFor();
    expect(await page.getByRole("treeitem").count()).toBe(2);
    await page.getByRole("button", { name: "Pause" }).click();
    broker.broker.publish("a/2", "later");
    await page.getByText("1 message while it was paused.").waitFor();
    await page.getByRole("button", { name: "Go on" }).click();
    for (let number = 0; number < 2_000; number++) broker.broker.publish("a/fast", String(number));
    await page.getByText(/messages: more than 5,000 a second/).waitFor();
    // A filter that is none is said to be none.
    one.allowed.push(/status of 400/);
    await page.getByLabel("Watch the topic filter").fill("a/#/b");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("expected a topic filter").waitFor();
  });

  test("answers with 10,000 topics, and has a bounded number of rows in the page", async () => {
    const broker = await liveBroker();
    for (let number = 0; number < 10_000; number++) {
      broker.broker.retain(`site/${number % 10}/device/${number}/value`, String(number));
    }
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, broker, "operate", "topics");
    await page.getByText("10,000 topics, 10,000 messages").waitFor();
    await page.getByRole("button", { name: "Open all" }).click();
    const rows = page.getByRole("treeitem");
    const height = () => page.getByRole("tree").evaluate((tree) => tree.scrollHeight);
    await expect.poll(height).toBeGreaterThan(20_000 * 20);
    expect(await rows.count()).toBeGreaterThan(20);
    expect(await rows.count()).toBeLessThan(100);
    await page.getByRole("tree").evaluate((tree) => {
      tree.scrollTop = tree.scrollHeight;
    });
    await row(page, "site/9/device/9999/value").click();
    await page.getByRole("region", { name: "site/9/device/9999/value" }).waitFor();
    expect(await rows.count()).toBeLessThan(100);
    // While more comes, too.
    broker.broker.publish("site/9/device/9999/value", "77");
    await page.getByRole("img", { name: "Value: the payload 77" }).waitFor();
    await page.getByLabel("Find").fill("device/4321");
    await expect.poll(() => rows.count()).toBe(5);
    await page.getByRole("treeitem", { name: /^value/ }).click();
    await page.getByRole("region", { name: "site/1/device/4321/value" }).waitFor();
    await one.screenshot("topics-many");
  });

  test("is used with the keyboard alone, and on a phone", async () => {
    const broker = await liveBroker();
    const one = await visit(browser, PHONE);
    const { page } = one;
    await signIn(one, broker, "operate", "topics");
    await live(page);
    for (const topic of ["a/1", "a/2", "b/1"]) broker.broker.publish(topic, `value of ${topic}`);
    await page.getByText("3 topics, 3 messages").waitFor();
    await page.getByRole("tree").focus();
    const selected = () => page.locator("[aria-selected=true]").getAttribute("title");
    const press = async (keys: string, title: string): Promise<void> => {
      for (const key of keys.split(" ")) await page.keyboard.press(key);
      await expect.poll(selected).toBe(title);
    };
    await press("ArrowDown ArrowDown", "a/1");
    await press("ArrowLeft", "a");
    await press("ArrowLeft ArrowDown", "b");
    await press("Home ArrowRight ArrowRight", "a/1");
    await press("End", "b/1");
    await page.getByRole("region", { name: "b/1" }).getByText("value of b/1").waitFor();
    // Also of a topic that is long, and of one with characters that cannot be seen.
    const long = `long ${"x".repeat(3_000)}`;
    for (const topic of [`${long}/end`, "b/\u202etxet \u200b<b>"]) broker.broker.publish(topic, "odd");
    await page.getByText("5 topics, 5 messages").waitFor();
    await page.getByRole("treeitem", { name: /txet/ }).click();
    await page.getByRole("region", { name: "b/\ufffdtxet \ufffd<b>" }).waitFor();
    await page.getByRole("treeitem", { name: /end/ }).click();
    await page.getByRole("region", { name: `${long}/end` }).waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
    await one.screenshot("topics-odd");
  });

  test("is not for those who may not see messages", async () => {
    const broker = await liveBroker();
    const one = await visit(browser);
    await signIn(one, broker, "read", "topics");
    await one.page.getByText("Messages are for those who have the role “operate”").waitFor();
  });
});
