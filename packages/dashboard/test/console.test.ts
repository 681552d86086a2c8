// Publishing a message, and seeing messages come.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, launch, signIn, visit } from "./support/browser.ts";
import { liveBroker } from "./support/live-broker.ts";

describe.skipIf(!hasBrowser)("the console", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser?.close());

  test("publishes text, JSON and bytes with QoS, retain and properties, and says who gets it", async () => {
    const live = await liveBroker();
    const reader = await live.client("reader-1", { properties: { sessionExpiryInterval: 600 }, clean: false });
    const away = await live.client("away-1", { properties: { sessionExpiryInterval: 600 }, clean: false });
    for (const client of [reader, away]) await client.subscribeAsync("plant/#", { qos: 1 });
    await away.endAsync();
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "operate", "console?topic=plant%2F1");
    const form = page.getByRole("region", { name: "Publish" });
    expect(await form.getByLabel("Topic", { exact: true }).inputValue()).toBe("plant/1");
    await form.getByRole("button", { name: "JSON" }).click();
    await form.getByLabel("Payload", { exact: true }).fill('{"a":');
    await form.getByRole("button", { name: "Publish" }).click();
    await form.getByRole("alert").getByText("The payload is not JSON").waitFor();
    await form.getByLabel("Payload", { exact: true }).fill('{"a": 1}');
    await form.getByLabel("QoS").selectOption("1");
    await form.getByLabel("Retain").check();
    await form.getByText("MQTT 5 properties").click();
    await form.getByLabel("Content type").fill("application/json");
    await form.getByLabel("Expires after").fill("600");
    await form.getByLabel("Response topic").fill("plant/answers");
    await form.getByLabel("User properties").fill("unit=C\nplace = hall 1");
    const message = new Promise<[string, string, object]>((resolve) => {
      reader.once("message", (topic, payload, packet) => resolve([topic, payload.toString(), packet]));
    });
    await form.getByRole("button", { name: "Publish" }).click();
    const [topic, payload, packet] = await message;
    expect([topic, payload]).toEqual(["plant/1", '{"a": 1}']);
    expect(packet).toMatchObject({
      qos: 1,
      properties: {
        contentType: "application/json",
        responseTopic: "plant/answers",
        userProperties: { unit: "C", place: "hall 1" },
      },
    });
    const result = form.getByRole("status");
    await result.getByText("2 sessions with a subscription for it:").waitFor();
    await result.getByText("1 gets it").waitFor();
    await result.getByText("1 waits for it").waitFor();
    expect([...live.broker.retained("plant/1")]).toMatchObject([{ topic: "plant/1", qos: 1 }]);
    await one.screenshot("console-publish");
    await form.getByRole("button", { name: "Bytes" }).click();
    await form.getByLabel("Payload", { exact: true }).fill("00 ff");
    await form.getByLabel("Topic", { exact: true }).fill("nobody");
    await form.getByRole("button", { name: "Publish" }).click();
    await result.getByText("Nobody has a subscription for it.").waitFor();
    expect([...live.broker.retained("nobody")].map(({ payload: bytes }) => [...bytes])).toEqual([[0, 255]]);
    one.allowed.push(/status of 400/);
    await form.getByLabel("Topic", { exact: true }).fill("a/#");
    await form.getByRole("button", { name: "Publish" }).click();
    await form.getByRole("alert").getByText("expected a topic name").waitFor();
  });

  test("shows messages of a filter as they come; the list is bounded, can be paused and cleared", async () => {
    const live = await liveBroker();
    live.broker.retain("plant/old", "from before");
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "operate", "console");
    const panel = page.getByRole("region", { name: "Subscribe" });
    await panel.getByLabel("Topic filter").fill("plant/#");
    await panel.getByRole("button", { name: "Subscribe" }).click();
    const lines = panel.getByRole("list", { name: "Messages" }).getByRole("button");
    await lines.filter({ hasText: "from before" }).getByText("retained").waitFor();
    const publisher = await live.client("sensor-1");
    await publisher.publishAsync("plant/1", '{"value":21.5}', {
      qos: 1,
      properties: { contentType: "application/json", userProperties: { unit: "C" } },
    });
    await publisher.publishAsync("elsewhere", "no");
    await lines.filter({ hasText: "plant/1" }).click();
    await panel.getByText('"value": 21.5').waitFor();
    await panel.getByRole("link", { name: "sensor-1" }).waitFor();
    await panel.getByText("Property unit").waitFor();
    await one.screenshot("console");
    await panel.getByRole("button", { name: "Pause" }).click();
    await publisher.publishAsync("plant/2", "later");
    await panel.getByText("1 message while it was paused.").waitFor();
    expect(await lines.count()).toBe(2);
    await panel.getByRole("button", { name: "Go on" }).click();
    for (let number = 0; number < 400; number++) live.broker.publish("plant/many", `number ${number}`);
    await lines.first().getByText("number 399").waitFor();
    expect(await lines.count()).toBe(300);
    await panel.getByText("102 older messages.").waitFor();
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    await one.screenshot("console-phone");
    await panel.getByRole("button", { name: "Clear" }).click();
    await panel.getByText("Waiting for messages").waitFor();
    await panel.getByRole("button", { name: "Stop" }).click();
    await panel.getByText("Nothing is subscribed to.").waitFor();
  });
});
