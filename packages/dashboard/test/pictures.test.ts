// Every page of the navigation with a broker that is busy, light, and dark on a phone: nothing is cut off. With
// PICTURES=1 it makes the pictures of docs/dashboard.md anew.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, launch, makesPictures, signIn, visit } from "./support/browser.ts";
import { busyPlant } from "./support/busy-plant.ts";

/** What is waited for, and done, before a page is looked at. */
const BEFORE: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  async overview(page) {
    await page.getByRole("button", { name: "1 min", exact: true }).click();
    await page.getByRole("img", { name: /^Messages: in \d/ }).waitFor();
    // For a plot of some length.
    if (makesPictures) await page.waitForTimeout(45_000);
  },
  clients: (page) => page.getByRole("link", { name: "sensor-roof" }).waitFor(),
  "clients/guest-display": (page) => page.getByRole("region", { name: "Lost messages" }).waitFor(),
  async sessions(page) {
    await page.getByRole("button", { name: "Biggest queues" }).click();
    await page.getByRole("link", { name: "archive" }).waitFor();
  },
  async topics(page) {
    await page.getByRole("treeitem").first().waitFor();
    if (makesPictures) await page.waitForTimeout(10_000);
    await page.getByRole("tree").getByTitle("plant/roof/energy", { exact: true }).click();
    await page.getByText('"kwh"').first().waitFor();
  },
  async retained(page) {
    await page.getByRole("button", { name: "plant/roof/energy" }).click();
    await page.getByText('"kwh"').first().waitFor();
  },
  async console(page) {
    await page.getByLabel("Topic", { exact: true }).fill("plant/hall-1/setpoint");
  },
  async explain(page) {
    await page.getByLabel("Topic").fill("plant/roof/energy");
    await page.getByLabel("Publisher").fill("sensor-roof");
    await page.keyboard.press("Enter");
    await page.getByText("2 of 3 would get it.").waitFor();
  },
  async trace(page) {
    await page.getByRole("combobox", { name: "Client" }).fill("guest-display");
    await page.getByRole("button", { name: "Start" }).click();
    await page.locator("details.loss").first().waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("recorded", { exact: true }).waitFor();
    await page.getByLabel("Text").fill("hall-1/energy");
    await page.locator("summary", { hasText: "hall-1/temperature" }).first().waitFor({ state: "detached" });
  },
  listeners: (page) => page.getByRole("region", { name: "Certificates of secure" }).waitFor(),
  plugins: (page) => page.getByText("ECONNREFUSED").waitFor(),
  async configuration(page) {
    await page.getByRole("row", { name: "limits.max_sessions" }).waitFor();
    await page.evaluate(`for (const code of document.querySelectorAll("code, li.warn")) {
      code.textContent = code.textContent.replace(/\\S*wrenmq-live-[^/]*/g, "/etc/wrenmq");
    }`);
  },
};

async function pagesOf(page: Page): Promise<string[]> {
  const links = await page.locator("#pages a").all();
  const addresses = await Promise.all(links.map((link) => link.getAttribute("href")));
  return addresses.map((address) => address?.replace("#/", "") ?? "");
}

describe.skipIf(!hasBrowser)("pictures", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser?.close());

  test("every page is whole, on a large and on a small screen", {
    timeout: makesPictures ? 300_000 : 90_000,
  }, async () => {
    const live = await busyPlant();
    const one = await visit(browser);
    const { page } = one;
    await page.goto(live.address);
    await page.getByLabel("Token").waitFor();
    await one.screenshot("picture-login");
    await signIn(one, live, "admin");
    for (const path of [...(await pagesOf(page)), "clients/guest-display"]) {
      await page.goto(`${live.address}/#/${path}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await BEFORE[path]?.(page);
      await one.picture(path.split("/").length > 1 ? "client" : path);
      await one.onPhone(`whole-${path.replace("/", "-")}`);
      expect(await page.getByRole("alert").allTextContents(), path).toEqual([]);
    }
  });
});
