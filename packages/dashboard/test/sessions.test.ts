// Sessions: views, search, order, pages, and what can be done about one.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, launch, signIn, visit } from "./support/browser.ts";
import { type LiveBroker, liveBroker } from "./support/live-broker.ts";

/** A session without a connection, in which so many messages wait. */
async function away(live: LiveBroker, clientId: string, waiting: number, expiry = 3_600): Promise<void> {
  const client = await live.client(clientId, { clean: false, properties: { sessionExpiryInterval: expiry } });
  await client.subscribeAsync(`to/${clientId}`, { qos: 1 });
  await client.endAsync();
  await expect.poll(() => live.broker.session(clientId)?.connected).toBe(false);
  for (let number = 0; number < waiting; number++)
    live.broker.publish(`to/${clientId}`, `message ${number}`, { qos: 1 });
}

const first = (page: Page): Promise<string[]> =>
  page.getByRole("table", { name: "Sessions" }).locator("tbody tr td:first-child a").allTextContents();

describe.skipIf(!hasBrowser)("sessions", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser?.close());

  test("views: the biggest queues, who waits longest, who has been away longest; search and order", async () => {
    const live = await liveBroker();
    await away(live, "meter-3", 12);
    await away(live, "meter-1", 0);
    await away(live, "meter-2", 40);
    await live.client("reader", { username: "ada" });
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "admin", "sessions");
    await page.getByText("4 sessions").waitFor();
    expect(await first(page)).toEqual(["meter-1", "meter-2", "meter-3", "reader"]);
    await one.screenshot("sessions");
    await one.onPhone("sessions");
    await page.getByRole("button", { name: "Biggest queues" }).click();
    await expect.poll(() => first(page)).toEqual(["meter-2", "meter-3"]);
    await page.getByRole("button", { name: "Waiting longest" }).click();
    await expect.poll(() => first(page)).toEqual(expect.arrayContaining(["meter-2", "meter-3"]));
    await page.getByRole("button", { name: "Away longest" }).click();
    await expect.poll(() => first(page)).toEqual(["meter-3", "meter-1", "meter-2"]);
    expect(page.url()).toMatch(/view=away$/);
    await page.getByRole("button", { name: "All", exact: true }).click();
    await page.getByRole("button", { name: "Waiting", exact: true }).click();
    await expect.poll(async () => (await first(page)).slice(0, 2)).toEqual(["meter-2", "meter-3"]);
    await page.getByLabel("Search").selectOption({ label: "user name is" });
    await page.getByLabel("Text").fill("ada");
    await expect.poll(() => first(page)).toEqual(["reader"]);
    await page.getByLabel("Text").fill("nobody");
    await page.getByText("No session matches.").waitFor();
  });

  test("pages: the next and the one before", async () => {
    const live = await liveBroker();
    for (let number = 0; number < 60; number++) live.broker.subscribe(`s-${String(number).padStart(2, "0")}`, "t", 1);
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "read", "sessions");
    await page.getByText("1–50 of 60").waitFor();
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText("51–60 of 60").waitFor();
    expect((await first(page))[0]).toBe("s-50");
    await page.getByRole("button", { name: "Previous" }).click();
    await page.getByText("1–50 of 60").waitFor();
  });

  test("ends a session and kicks a client, and says what is lost; who may only read cannot", async () => {
    const live = await liveBroker();
    await away(live, "gone", 3);
    await live.client("there");
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "admin", "sessions");
    await page.getByRole("button", { name: "End the session of gone" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("3 waiting messages and 1 subscriptions are lost").waitFor();
    await dialog.getByRole("button", { name: "End session" }).click();
    await page.getByText("The session of gone has ended, and 3 messages with it.").waitFor();
    expect(live.broker.session("gone")).toBeUndefined();
    await page.getByRole("button", { name: "Kick there" }).click();
    await dialog.getByRole("button", { name: "Kick" }).click();
    await expect.poll(() => live.broker.connected).toBe(0);
    live.broker.subscribe("kept", "t", 1);
    const reader = await visit(browser);
    await signIn(reader, live, "read", "sessions");
    await expect
      .poll(() => reader.page.getByRole("button", { name: "End the session of kept" }).isDisabled())
      .toBe(true);
  });

  test("a session without a connection has a page: its queue and its subscriptions", async () => {
    const live = await liveBroker();
    await away(live, "gone", 3);
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "read", "sessions");
    await page.getByRole("link", { name: "gone" }).click();
    await page.getByText("3 (3 QoS 1, 0 QoS 2)").waitFor();
    await page.getByRole("region", { name: "Subscriptions" }).getByText("to/gone").waitFor();
    await page.getByText("It is not connected.").waitFor();
  });
});
