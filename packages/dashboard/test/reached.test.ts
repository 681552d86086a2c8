// The ways to the dashboard: over TLS, behind a proxy with another path and host, and with two workers behind it. And
// what loading it costs.
import { readdirSync, readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createAdmin } from "@wrenmq/admin";
import { AdminHttp } from "@wrenmq/admin/http";
import { workersAsMembers } from "@wrenmq/admin/members";
import { silentLogger } from "@wrenmq/broker";
import { startWorkers } from "@wrenmq/workers";
import mqtt from "mqtt";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { bundle } from "../../../apps/cli/test/support/bundle.mjs";
import { makeCertificate } from "../../../apps/cli/test/support/certificate.ts";
import { hasBrowser, launch, signIn, visit } from "./support/browser.ts";
import { liveBroker, temporaryFolder } from "./support/live-broker.ts";

/** Bytes of all files together, compressed. */
const MOST_BYTES = 200_000;

test("all that the page loads is less than 200 KB, compressed by brotli or gzip", () => {
  const folder = inject("dashboard");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const loaded = files.filter((file) => /\.(html|js|css|svg)$/.test(file));
  expect(loaded.length).toBeGreaterThan(2);
  for (const ending of [".br", ".gz"]) {
    const sizes = loaded.map(
      (file) => readFileSync(join(folder, files.includes(file + ending) ? file + ending : file)).length,
    );
    expect(
      sizes.reduce((sum, size) => sum + size, 0),
      ending,
    ).toBeLessThan(MOST_BYTES);
  }
  // Nothing is loaded from elsewhere, and nothing is in the page itself.
  const page = readFileSync(join(folder, "index.html"), "utf8");
  expect(page).not.toMatch(/https?:|<style|style=|<script(?![^>]* src=)|\son\w+=/);
});

describe.skipIf(!hasBrowser)("the dashboard is reached", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser?.close());

  test("over TLS, with a cookie for TLS alone; listeners show when certificates end", async () => {
    const { certificate, key } = await makeCertificate(await temporaryFolder());
    const live = await liveBroker({
      http: { tls: { certificateFile: certificate, keyFile: key } },
      broker: {
        listeners: {
          tcp: { type: "tcp", host: "127.0.0.1", port: 0, maxConnections: 500 },
          tls: { type: "tls", host: "127.0.0.1", port: 0, tls: { certificates: [{ cert: certificate, key }] } },
        },
      },
    });
    await live.client("device-1");
    const one = await visit(browser, { ignoreHTTPSErrors: true });
    const { page } = one;
    expect(live.address).toMatch(/^https:/);
    // At the end its client has no session any more.
    one.allowed.push(/status of 404/);
    await signIn(one, live, "operate", "listeners");
    const row = page.getByRole("table", { name: "Listeners" }).getByRole("row", { name: "tcp" });
    expect((await row.getByRole("cell").allTextContents()).slice(3)).toEqual(["1", "500", "all", "none"]);
    await page.getByRole("region", { name: "Certificates of tls" }).getByText("CN=localhost").waitFor();
    await one.screenshot("listeners");
    await one.onPhone("listeners");
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ secure: true, httpOnly: true, sameSite: "Strict" });
    // What changes something works, too.
    await page.goto(`${live.address}/#/clients/device-1`);
    await page.getByRole("button", { name: "Kick" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Kick" }).click();
    await expect.poll(() => live.broker.connected).toBe(0);
  });

  test("behind a proxy, below a path and by another name", async () => {
    let target = "";
    const proxy = createServer((incoming, outgoing) => {
      const path = incoming.url?.replace(/^\/mq(?=\/)/, "");
      if (path === incoming.url) {
        outgoing.writeHead(404).end();
        return;
      }
      const { hostname, port } = new URL(target);
      const { method, headers } = incoming;
      const onward = request({ hostname, port, path, method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on("error", () => outgoing.destroy());
      outgoing.on("close", () => onward.destroy());
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      proxy.closeAllConnections();
      proxy.close();
    });
    const { port } = proxy.address() as AddressInfo;
    const live = await liveBroker({ http: { hosts: [`127.0.0.1:${port}`] } });
    target = live.address;
    await live.client("device-1");
    const one = await visit(browser);
    const { page } = one;
    one.allowed.push(/status of 404/);
    await signIn(one, { ...live, address: `http://127.0.0.1:${port}/mq` }, "operate", "clients");
    await page.getByRole("link", { name: "device-1" }).click();
    await page.getByRole("button", { name: "Kick" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Kick" }).click();
    await expect.poll(() => live.broker.connected).toBe(0);
  });

  test("with two workers behind it: it shows the clients of both, and says which one does not answer", async () => {
    const here = fileURLToPath(new URL(".", import.meta.url));
    const folder = await temporaryFolder();
    const workers = startWorkers({
      workers: 2,
      module: await bundle("worker", WORKER, here, join(folder, "p")),
      config: {},
    });
    onTestFinished(() => workers.stop());
    const address = (await workers.ready).get("main") ?? "";
    const admin = createAdmin({ members: workersAsMembers(workers), logger: silentLogger, patience: 2_000 });
    const http = await AdminHttp.start({
      admin,
      logger: silentLogger,
      host: "127.0.0.1",
      port: 0,
      insecure: true,
      dashboard: inject("dashboard"),
    });
    onTestFinished(async () => {
      await http.close();
      admin.close();
    });
    const homes = new Map<number, string>();
    for (let number = 0; homes.size < 2; number++) homes.set(workers.homeOf(`client-${number}`), `client-${number}`);
    for (const clientId of homes.values()) {
      const client = await mqtt.connectAsync(address, { clientId, reconnectPeriod: 0 });
      client.on("error", () => {});
      onTestFinished(() => void client.end(true));
      await client.subscribeAsync("plant/#");
    }
    const one = await visit(browser);
    const { page } = one;
    await page.goto(`${http.address}/#/sessions`);
    for (const name of homes.values()) await page.getByRole("link", { name }).waitFor();
    await page.goto(`${http.address}/#/explain?topic=plant/1`);
    await page.getByText("2 of 2 would get it.").waitFor();
    const pid = await workers.ask(1, "pid");
    process.kill(Number(pid), "SIGSTOP");
    onTestFinished(() => void process.kill(Number(pid), "SIGCONT"));
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByText("No answer from worker 1: what it has is missing here.").waitFor();
    await page.getByText("1 of 1 would get it.").waitFor();
    process.kill(Number(pid), "SIGCONT");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByText("2 of 2 would get it.").waitFor();
  });
});

const WORKER = `
import { answersOf } from "@wrenmq/admin/members";
import { createBroker, silentLogger } from "@wrenmq/broker";
import { runWorker } from "@wrenmq/workers";

const everybody = { name: "everybody", setup: () => ({ authenticate: () => true }) };
await runWorker({
  createBroker(_config, { options }) {
    const listeners = { main: { type: "tcp", host: "127.0.0.1", port: 0 } };
    const broker = createBroker({ listeners, plugins: [everybody], ...options });
    const answers = answersOf(broker, silentLogger);
    const answer = async (question) => (question === "pid" ? process.pid : answers.answer(question));
    return { broker, ...answers, answer };
  },
});
`;
