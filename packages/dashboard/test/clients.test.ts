// Clients: search, order, pages; one client; kick, ban, let in again.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, launch, overviewIn, signIn, visit } from "./support/browser.ts";
import { liveBroker } from "./support/live-broker.ts";

const listed = (page: Page): Promise<string[]> =>
  page.getByRole("table", { name: "Clients that are connected" }).locator("tbody tr td:first-child").allTextContents();

describe.skipIf(!hasBrowser)("clients", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser?.close());

  test("search by what an identifier contains, a user, an address; order; pages", async () => {
    const live = await liveBroker();
    for (let number = 0; number < 52; number++) {
      await live.client(`meter-${String(number).padStart(2, "0")}`, { username: number === 7 ? "ada" : "grace" });
    }
    const busy = await live.client("reader");
    await busy.subscribeAsync(["a", "b"]);
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "read", "clients");
    await page.getByText("53 connected").waitFor();
    expect(await listed(page)).toHaveLength(50);
    await one.screenshot("clients");
    await one.onPhone("clients");
    await page.getByRole("button", { name: "Next" }).click();
    await expect.poll(() => listed(page)).toEqual(["meter-50", "meter-51", "reader"]);
    await page.getByRole("button", { name: "Subs" }).click();
    await expect.poll(async () => (await listed(page))[0]).toBe("reader");
    await page.getByRole("button", { name: "Client", exact: true }).click();
    await page.getByRole("button", { name: /^Client/ }).click();
    await expect.poll(async () => (await listed(page))[0]).toBe("reader");
    await page.getByLabel("Text").fill("-0");
    await expect.poll(async () => (await listed(page)).length).toBe(10);
    await page.getByLabel("Search").selectOption({ label: "user name is" });
    await page.getByLabel("Text").fill("ada");
    await expect.poll(() => listed(page)).toEqual(["meter-07"]);
    await page.getByLabel("Search").selectOption({ label: "address is" });
    await page.getByLabel("Text").fill("192.0.2.1");
    await page.getByText("Nobody who is connected matches.").waitFor();
  });

  test("one client: session, connection, subscriptions, what it has lost and why", async () => {
    const live = await liveBroker({
      broker: { dropHistory: true, limits: { maxQueuedMessages: 1, overflow: "drop-new" } },
    });
    const client = await live.client("slow/1 <b>", {
      username: "ada",
      properties: { sessionExpiryInterval: 7_200, receiveMaximum: 1 },
      will: { topic: "gone", payload: Buffer.from("x"), qos: 0, retain: false },
    });
    await client.subscribeAsync("t/#", { qos: 1 });
    // It acknowledges nothing.
    client.handleMessage = () => {};
    for (let number = 0; number < 3; number++) live.broker.publish(`t/${number}`, "x", { qos: 1 });
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "read", "clients");
    await page.getByRole("link", { name: "slow/1 <b>" }).click();
    await page.getByRole("heading", { name: "slow/1 <b>" }).waitFor();
    const session = page.getByRole("region", { name: "Session" });
    await session.getByText("ada").waitFor();
    await session.getByText(/^2\sh$/).waitFor();
    await session.getByText(/^1 \(1 QoS 1, 0 QoS 2\)/).waitFor();
    await page.getByRole("region", { name: "Connection" }).getByText("127.0.0.1").waitFor();
    await page.getByRole("region", { name: "Subscriptions" }).getByText("t/#").waitFor();
    await page.getByRole("region", { name: "In flight" }).getByText("t/0").waitFor();
    await page.getByRole("region", { name: "Lost messages" }).getByText("the queue was full").waitFor();
    expect(await page.getByRole("button", { name: "Kick" }).isDisabled()).toBe(true);
    await one.screenshot("client");
    await one.onPhone("client");
  });

  test("kick and ban, with a reason that the client gets; let in again", async () => {
    const live = await liveBroker();
    const client = await live.client("noisy", { username: "ada" });
    const told = new Promise<string | undefined>((resolve) => {
      client.on("disconnect", ({ properties }) => resolve(properties?.reasonString));
    });
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "operate", "clients/noisy");
    one.allowed.push(/status of 404/);
    expect(await page.getByRole("button", { name: "End session" }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Ban" }).click();
    const dialog = page.getByRole("dialog", { name: "Keep out for a time" });
    await dialog.getByLabel("Whom").selectOption({ label: "the user ada" });
    await dialog.getByLabel("For").selectOption({ label: "10 minutes" });
    await dialog.getByLabel("Reason").fill("too loud");
    await dialog.getByRole("button", { name: "Ban" }).click();
    await page.getByText("ada is kept out for 10 min; 1 disconnected.").waitFor();
    expect(await told).toBe("too loud");
    await expect(live.client("noisy", { username: "ada" })).rejects.toThrow();
    await page.getByRole("link", { name: "Clients", exact: true }).click();
    await page.getByRole("row", { name: "ada" }).getByText("too loud").waitFor();
    await page.getByRole("button", { name: "Let in" }).click();
    await page.getByText("ada may connect again.").waitFor();
    await live.client("noisy", { username: "ada" });
    await page.getByText("1 connected").waitFor();
  });

  test("a client that there is not, and a page that there is not", async () => {
    const live = await liveBroker();
    const one = await visit(browser);
    const { page } = one;
    one.allowed.push(/status of 404/);
    await signIn(one, live, "read", "clients/nobody");
    await page.getByText("Its session may have ended.").waitFor();
    await page.goto(`${live.address}/#/nowhere`);
    await page.getByText("There is no such page.").waitFor();
    await page.getByRole("link", { name: "Go to the overview" }).click();
    await overviewIn(page);
  });
});
