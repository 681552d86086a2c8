// The live packets on the page of a client.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, launch, signIn, visit } from "./support/browser.ts";
import { type LiveBroker, liveBroker } from "./support/live-broker.ts";

/** A broker that lets `stranger` not in, and nobody publish below `secret`. */
const guarded = (): Promise<LiveBroker> =>
  liveBroker({
    broker: {
      plugins: [
        {
          name: "guard",
          setup: () => ({
            authenticate: ({ clientId }) => clientId !== "stranger",
            authorize: (_client, action, topic) => action !== "publish" || !topic.startsWith("secret/"),
          }),
        },
      ],
    },
  });

const panel = (page: Page) => page.getByRole("region", { name: "Live packets" });
const lines = (page: Page) => panel(page).getByRole("list", { name: "Packets" }).getByRole("button");

async function watch(page: Page): Promise<void> {
  await panel(page).getByRole("button", { name: "Watch its packets" }).click();
  await panel(page).getByText("live", { exact: true }).waitFor();
}

describe.skipIf(!hasBrowser)("the live packets of a client", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser?.close());

  test("are decoded, with properties, and reason codes by their names", async () => {
    const live = await guarded();
    const client = await live.client("sensor-1");
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "operate", "clients/sensor-1");
    await watch(page);
    await client.publishAsync("plant/1", '{"value":21.5}', {
      qos: 1,
      properties: { contentType: "application/json", userProperties: { unit: "C" } },
    });
    await client.publishAsync("secret/1", "x", { qos: 1 }).catch(() => undefined);
    await client.subscribeAsync("plant/#", { qos: 1 });
    const publish = lines(page).filter({ hasText: 'PUBLISH"plant/1"' });
    await publish.getByTitle("from the client").waitFor();
    await lines(page).filter({ hasText: "PUBACK" }).filter({ hasText: "0x10 No matching subscribers" }).waitFor();
    await lines(page).filter({ hasText: "PUBACK" }).filter({ hasText: "0x87 Not authorized" }).waitFor();
    await lines(page).filter({ hasText: "SUBACK" }).getByTitle("to the client").waitFor();
    await publish.click();
    const fact = (name: string) => panel(page).locator(".facts > div", { hasText: name }).locator("dd");
    expect(await fact("Content Type").textContent()).toBe("application/json");
    expect(await fact("User Properties").textContent()).toBe("unit = C");
    expect(await fact("Payload").textContent()).toContain("not shown");
    await panel(page).getByRole("button", { name: "All that happens" }).click();
    await lines(page).filter({ hasText: 'may publish "secret/1": refused with 0x87 Not authorized' }).waitFor();
    await panel(page).scrollIntoViewIfNeeded();
    await one.screenshot("packets");
    await panel(page).getByRole("button", { name: "Pause" }).click();
    await client.publishAsync("plant/2", "later", { qos: 1 });
    await panel(page)
      .getByText(/line[s]? while it was paused/)
      .waitFor();
    await panel(page).getByRole("button", { name: "Go on" }).click();
    await panel(page).getByLabel("With payloads").check();
    await panel(page).getByText("live", { exact: true }).waitFor();
    await panel(page).getByRole("button", { name: "Clear" }).click();
    await client.publishAsync("plant/3", '{"value":42}', { qos: 1 });
    await lines(page).filter({ hasText: 'PUBLISH"plant/3"' }).getByTitle("from the client").click();
    await panel(page).getByText('"value": 42').waitFor();
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    await panel(page).scrollIntoViewIfNeeded();
    await one.screenshot("packets-phone");
    await panel(page).getByRole("button", { name: "Stop" }).click();
    await panel(page).getByRole("button", { name: "Watch its packets" }).waitFor();
  });

  test("show why a client that is not known is not let in; its password is not shown", async () => {
    const live = await guarded();
    const one = await visit(browser);
    const { page } = one;
    one.allowed.push(/status of 404/);
    await signIn(one, live, "operate", "clients/stranger");
    await page.getByText("If it is not let in").waitFor();
    await panel(page).getByLabel("With payloads").check();
    await watch(page);
    const refused = live.client("stranger", { username: "ada", password: "hunter2" });
    await expect(refused).rejects.toThrow(/Not authorized/);
    await lines(page).filter({ hasText: "CONNACK" }).filter({ hasText: "0x87 Not authorized" }).waitFor();
    await lines(page).filter({ hasText: "CONNECT" }).click();
    await panel(page).getByText("(hidden)", { exact: true }).waitFor();
    expect(await page.content()).not.toContain("hunter2");
  });

  test("are for those who have the role “operate”", async () => {
    const live = await guarded();
    await live.client("sensor-1");
    const one = await visit(browser);
    await signIn(one, live, "read", "clients/sensor-1");
    expect(await one.page.getByRole("button", { name: "Watch its packets" }).isDisabled()).toBe(true);
  });
});
