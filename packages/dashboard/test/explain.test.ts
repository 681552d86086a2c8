// Who gets a message, what a client may do, and the plugins that decide it.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, launch, signIn, visit } from "./support/browser.ts";
import { liveBroker, type Plugin } from "./support/live-broker.ts";

const RULES: Plugin = {
  name: "rules",
  setup: () => ({
    authenticate: () => true,
    authorize: ({ clientId }, action, topic) => {
      if (clientId === "guest" && action === "receive")
        return { reasonCode: 0x87, rule: "line 7: guests read nothing" };
      if (action === "publish" && topic.startsWith("secret/")) return { reasonCode: 0x87, rule: "line 9: secret" };
      return true;
    },
  }),
};

const SHAKY: Plugin = {
  name: "notes",
  setup: () => ({
    connected: () => {
      throw new Error("the table “notes” is gone");
    },
  }),
};

describe.skipIf(!hasBrowser)("explaining", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser?.close());

  test("says who would get a message, who not, and which rule refuses whom", async () => {
    const live = await liveBroker({ broker: { plugins: [RULES] } });
    for (const clientId of ["reader-1", "guest"]) {
      await (await live.client(clientId)).subscribeAsync("plant/+/temperature", { qos: 1 });
    }
    const away = await live.client("archive", { clean: false, properties: { sessionExpiryInterval: 600 } });
    await away.subscribeAsync("plant/#", { qos: 1 });
    await away.endAsync();
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "read", "explain");
    await page.getByLabel("Topic").fill("plant/1/temperature");
    await page.getByLabel("Publisher").fill("reader-1");
    await page.keyboard.press("Enter");
    await page.getByText("2 of 3 would get it.").waitFor();
    const row = (name: string) => page.getByRole("row", { name });
    await row("reader-1").getByText("gets it").waitFor();
    await row("archive").getByText("waits for it").waitFor();
    await row("guest").getByText("line 7: guests read nothing").waitFor();
    await page.getByRole("region", { name: "May reader-1 publish it?" }).getByText("allows").waitFor();
    await one.screenshot("explain");
    await one.onPhone("explain");
    // The address is the question.
    await page.reload();
    await page.getByText("2 of 3 would get it.").waitFor();
  });

  test("says that a publisher may not publish, and what a client may do", async () => {
    const live = await liveBroker({ broker: { plugins: [RULES] } });
    await live.client("meter-7");
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "read", "explain?topic=secret/x&publisher=meter-7");
    await page.getByText("meter-7 may not publish to secret/x.").waitFor();
    await page.getByText("line 9: secret").waitFor();
    await page.getByRole("button", { name: "May a client do that?" }).click();
    await page.getByLabel("Client").fill("nobody");
    await page.getByLabel("Topic filter").fill("a/#");
    await page.keyboard.press("Enter");
    await page.getByText("Yes.", { exact: true }).waitFor();
    await page.getByText("There is no such client at present").waitFor();
    await page.getByLabel("Client").fill("meter-7");
    await page.getByLabel("wants to").selectOption("publish");
    await page.getByRole("textbox", { name: "Topic" }).fill("secret/plans");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByText("No.", { exact: true }).waitFor();
    await page.getByText("meter-7 may not publish to secret/plans.").waitFor();
    await one.screenshot("explain-client");
  });

  test("says what is wrong with a topic", async () => {
    const live = await liveBroker();
    const one = await visit(browser);
    one.allowed.push(/status of 400/);
    await signIn(one, live, "read", "explain");
    await one.page.getByLabel("Topic").fill("plant/#");
    await one.page.keyboard.press("Enter");
    await one.page.getByRole("alert").getByText("expected a topic name").waitFor();
  });

  test("lists the plugins, where they decide, and what has failed", async () => {
    const live = await liveBroker({
      broker: {
        plugins: [RULES, SHAKY],
        listeners: {
          tcp: { type: "tcp", host: "127.0.0.1", port: 0 },
          closed: { type: "tcp", host: "127.0.0.1", port: 0, plugins: [] },
        },
      },
    });
    for (const clientId of ["a", "b"]) await live.client(clientId);
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "read", "plugins");
    const row = page.getByRole("row", { name: "rules" });
    await row.getByText("decides").waitFor();
    expect(await row.getByRole("cell").nth(2).textContent()).toBe("tcp");
    const shaky = page.getByRole("table", { name: "Plugins" }).getByRole("row", { name: "notes" });
    await shaky.getByText("has failed").waitFor();
    expect(await shaky.getByRole("cell").last().textContent()).toBe("2");
    await page.getByText("connected: the table “notes” is gone").waitFor();
    await one.screenshot("plugins");
    await one.onPhone("plugins");
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByText("The plugin “notes” has failed within the last ten minutes.").waitFor();
  });
});
