// Signing in, the overview, and what the page does when the broker is gone.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, launch, overviewIn, PHONE, signIn, visit } from "./support/browser.ts";
import { liveBroker } from "./support/live-broker.ts";

describe.skipIf(!hasBrowser)("the dashboard", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser?.close());

  test("signs in with a token, says what is wrong with another, and signs out", async () => {
    const live = await liveBroker();
    const one = await visit(browser);
    const { page } = one;
    one.allowed.push(/status of 401/);
    await page.goto(live.address);
    await page.getByLabel("Token").fill("nonsense");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("the token does not count").waitFor();
    await one.screenshot("login");
    await page.getByLabel("Token").fill(live.tokens.read);
    await page.keyboard.press("Enter");
    await overviewIn(page);
    await page.reload();
    await overviewIn(page);
    expect(await page.evaluate("document.cookie")).toBe("");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor();
  });

  test("shows live numbers of real clients, in light, dark and on a phone", async () => {
    const live = await liveBroker();
    const publisher = await live.client("sensor-1");
    const subscriber = await live.client("reader-1");
    await subscriber.subscribeAsync("#");
    const timer = setInterval(() => {
      for (let number = 0; number < 20; number++) publisher.publish(`plant/${number}`, "21.5", { qos: 1 });
    }, 100);
    try {
      const one = await visit(browser);
      const { page } = one;
      await signIn(one, live, "admin");
      const tile = (name: string) => page.locator(".tiles > div", { hasText: name }).locator("dd");
      await expect.poll(() => tile("Clients").textContent(), { timeout: 15_000 }).toBe("2");
      await expect
        .poll(async () => Number.parseFloat((await tile("Messages in").textContent()) ?? ""), { timeout: 15_000 })
        .toBeGreaterThan(10);
      const plot = page.getByRole("img", { name: /^Messages: in/ });
      await expect.poll(() => plot.getAttribute("aria-label"), { timeout: 15_000 }).toMatch(/in \d[\d.]*\/s, out \d/);
      expect(await page.locator("canvas").count()).toBeGreaterThan(6);
      await page.getByRole("button", { name: "1 min", exact: true }).click();
      await one.screenshot("overview-light");
      await page.getByRole("button", { name: "Look: system" }).click();
      expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(16, 19, 22)");
      await one.screenshot("overview-dark");
      await page.setViewportSize(PHONE.viewport ?? { width: 360, height: 740 });
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
      await one.screenshot("overview-phone");
    } finally {
      clearInterval(timer);
    }
  });

  test("says what is wrong: a broker that is draining", async () => {
    const live = await liveBroker();
    const one = await visit(browser);
    live.broker.operations.startDrain({ rate: 0 });
    await signIn(one, live, "read");
    await one.page.getByText("The broker is draining.").waitFor();
  });

  test("says that the connection is lost, and goes on when the broker is there again", async () => {
    const live = await liveBroker();
    const one = await visit(browser);
    const { page } = one;
    one.allowed.push(/ERR_|status of 401/);
    await signIn(one, live, "read");
    await live.close();
    await page.getByText("No connection to the broker").waitFor();
    await one.screenshot("lost");
    await live.open();
    // Its sessions are new ones.
    await page.getByText("The session has ended. Sign in again.").waitFor();
    await page.getByLabel("Token").fill(live.tokens.read);
    await page.keyboard.press("Enter");
    await overviewIn(page);
  });

  test("has no stream open while nobody sees it, and what it has missed afterwards", async () => {
    const live = await liveBroker();
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "read");
    const plot = page.getByRole("img", { name: /^Connections: clients 0/ });
    await plot.waitFor();
    const setHidden = (isHidden: boolean) =>
      page.evaluate(`
        Object.defineProperty(document, "hidden", { configurable: true, value: ${isHidden} });
        document.dispatchEvent(new Event("visibilitychange"));
      `);
    const isFeed = (request: { url(): string }): boolean => request.url().includes("/stats.watch");
    await Promise.all([page.waitForEvent("requestfailed", isFeed), setHidden(true)]);
    await live.client("device-1");
    await Promise.all([page.waitForRequest(isFeed), setHidden(false)]);
    await page.getByText("live", { exact: true }).first().waitFor();
    await page.getByRole("img", { name: /^Connections: clients 1/ }).waitFor();
  });

  test("is used with the keyboard alone", async () => {
    const live = await liveBroker();
    await live.client("device-1");
    const one = await visit(browser);
    const { page } = one;
    // At the end its client has no session any more.
    one.allowed.push(/status of 404/);
    await page.goto(live.address);
    await page.getByLabel("Token").waitFor();
    const focused = () => page.evaluate("document.activeElement?.textContent");
    const tabTo = async (text: string): Promise<void> => {
      for (let number = 0; number < 60; number++) {
        await page.keyboard.press("Tab");
        if ((await focused()) === text) return;
      }
      throw new Error(`the keyboard does not reach "${text}"`);
    };
    await page.keyboard.press("Tab");
    await page.keyboard.type(live.tokens.admin);
    await page.keyboard.press("Enter");
    await overviewIn(page);
    await tabTo("Clients");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "device-1" }).waitFor();
    await tabTo("device-1");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "device-1" }).waitFor();
    await tabTo("Kick");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Kick device-1" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    // Where it was before.
    await expect.poll(focused).toBe("Kick");
    expect(live.broker.connected).toBe(1);
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(() => live.broker.connected, { timeout: 15_000 }).toBe(0);
  });
});
