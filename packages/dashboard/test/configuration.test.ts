// The configuration: what a reload would change, what is wrong with the file, and the reload itself.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brokerFromConfig } from "@wrenmq/host";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { hasBrowser, launch, signIn, visit } from "./support/browser.ts";
import { type LiveBroker, liveBroker } from "./support/live-broker.ts";

const text = (rest = "", listener = "max_connections: 1000"): string => `
listeners:
  default: { bind: "127.0.0.1:0", ${listener} }
plugins: { anonymous: {} }
${rest}
`;

/** A broker of a file, and the file. */
async function withFile(): Promise<{ readonly live: LiveBroker; readonly file: string }> {
  const folder = await mkdtemp(join(tmpdir(), "wrenmq-configuration-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "wrenmq.yaml");
  await writeFile(file, text());
  const host = await brokerFromConfig(file);
  return { file, live: await liveBroker({ host }) };
}

describe.skipIf(!hasBrowser)("the configuration", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser?.close());

  test("shows what a reload would change, and reloads after a question", async () => {
    const { live, file } = await withFile();
    const one = await visit(browser);
    const { page } = one;
    await signIn(one, live, "operate", "configuration");
    await page.getByText("A reload changes nothing").waitFor();
    await page.getByText(file).waitFor();
    const reload = page.getByRole("button", { name: "Reload …" });
    expect(await reload.isDisabled()).toBe(true);
    const more = `
limits: { max_sessions: 5000 }
log: { level: debug }
workers: 2
`;
    await writeFile(file, text(more, "max_connections: 500").replace("anonymous: {}", "anonymous: {}, taboo: {}"));
    await page.getByRole("button", { name: "Look again" }).click();
    await page.getByText("A reload changes 5 keys").waitFor();
    const row = page.getByRole("row", { name: "listeners.default.max_connections" });
    expect(await row.getByRole("cell").allTextContents()).toEqual([
      "listeners.default.max_connections",
      "1000",
      "500",
      "at once",
    ]);
    await page.getByRole("row", { name: "workers" }).getByText("after a restart").waitFor();
    await one.screenshot("configuration");
    await one.onPhone("configuration");
    await reload.click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("One change counts only after a restart of the broker.").waitFor();
    await dialog.getByText("Plugins change: what clients may do is checked again.").waitFor();
    expect(live.broker.limits.maxSessions).not.toBe(5_000);
    await one.screenshot("configuration-dialog");
    await dialog.getByRole("button", { name: "Reload" }).click();
    await page.getByText("The configuration is reloaded; workers after a restart.").waitFor();
    expect(live.broker.limits.maxSessions).toBe(5_000);
    await page.getByText("A reload changes one key").waitFor();
  });

  test("says that a listener moves, and what is wrong with a file", async () => {
    const { live, file } = await withFile();
    const one = await visit(browser);
    const { page } = one;
    one.allowed.push(/status of 409/);
    await writeFile(file, text().replace("127.0.0.1:0", "localhost:0"));
    await signIn(one, live, "admin", "configuration");
    await page.getByRole("row", { name: "listeners.default.bind" }).getByText("moves").waitFor();
    await page.getByRole("button", { name: "Reload …" }).click();
    await page.getByText("The listener default closes or moves: clients there are disconnected.").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await writeFile(file, text("limits: { max_sesions: 3 }"));
    await page.getByRole("button", { name: "Look again" }).click();
    await page.getByRole("alert").getByText("max_sessions").waitFor();
    await page.getByText("The file has a mistake").waitFor();
    expect(await page.getByRole("button", { name: "Reload …" }).isDisabled()).toBe(true);
    await writeFile(file, text());
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("A reload changes nothing").waitFor();
  });

  test("says that there is no file, that there is no configuration at all, and who may see it", async () => {
    const none = await liveBroker();
    const one = await visit(browser);
    one.allowed.push(/status of 503/);
    await signIn(one, none, "operate", "configuration");
    await one.page.getByText("This broker has no configuration to read again").waitFor();
    const without = await liveBroker({ host: await brokerFromConfig({ listeners: { a: { bind: "127.0.0.1:0" } } }) });
    const other = await visit(browser);
    await signIn(other, without, "operate", "configuration");
    await other.page.getByText("The broker was started without a configuration file").waitFor();
    const reader = await visit(browser);
    await signIn(reader, without, "read", "configuration");
    await reader.page.getByText("Whoever may only read does not see the configuration").waitFor();
  });
});
