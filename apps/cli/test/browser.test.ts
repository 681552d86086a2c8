// A page in a real browser: MQTT.js over WebSocket against the command, and the codec as it is, with no Buffer.
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startBroker } from "./support/broker-process.ts";
import { temporaryFolder } from "./support/folder.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
if (executablePath === undefined) console.warn("skipped: no Chromium is installed, so no page is tried in a browser");

const MQTT_JS = readFileSync(fileURLToPath(import.meta.resolve("mqtt/dist/mqtt.min")), "utf8");

/** What the page has to itself besides the browser. */
declare const self: {
  readonly mqtt: typeof import("mqtt").default;
  readonly codec: typeof import("@wrenmq/codec");
  readonly Buffer?: unknown;
};

describe.skipIf(executablePath === undefined)("in a browser", () => {
  let browser: Browser;
  let origin: string;
  const pages = createServer((request, response) => {
    const isScript = request.url === "/mqtt.js" || request.url === "/codec.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    if (request.url === "/mqtt.js") response.end(MQTT_JS);
    else if (request.url === "/codec.js") response.end(codecScript);
    else
      response.end(
        '<!doctype html><title>test</title><script src="/mqtt.js"></script><script src="/codec.js"></script>',
      );
  });
  let codecScript = "";

  beforeAll(async () => {
    const bundle = await build({
      stdin: { contents: 'export * from "@wrenmq/codec";', resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
      bundle: true,
      write: false,
      format: "iife",
      globalName: "codec",
      platform: "browser",
      conditions: ["@wrenmq/source"],
    });
    codecScript = bundle.outputFiles[0]?.text ?? "";
    await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
    browser = await chromium.launch({
      executablePath: executablePath as string,
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
    });
  }, 60_000);

  async function openPage(): Promise<Page> {
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(origin);
    return page;
  }

  /** A page, and a broker with a WebSocket listener for it. */
  async function visit(listener: string): Promise<{ readonly address: string; readonly page: Page }> {
    const file = join(await temporaryFolder(), "wrenmq.yaml");
    const web = `{ type: ws, bind: "127.0.0.1:0", ${listener} }`;
    await writeFile(file, `listeners: { web: ${web} }\nplugins: { anonymous: { allow: true } }\n`);
    const address = await startBroker(["-c", file]).address("web");
    return { address, page: await openPage() };
  }

  afterAll(async () => {
    await browser?.close();
    pages.close();
  });

  test("MQTT.js publishes and receives at every QoS, in both versions", async () => {
    const { address, page } = await visit(`path: /mqtt, origins: ["${origin}"]`);
    for (const protocolVersion of [4, 5] as const) {
      const received = await page.evaluate(
        ([url, version]) =>
          new Promise<string[]>((resolve, reject) => {
            const client = self.mqtt.connect(url, { protocolVersion: version, reconnectPeriod: 0 });
            const seen: string[] = [];
            client.on("error", reject);
            client.on("close", () => reject(new Error("closed")));
            client.on("message", (topic, payload, { qos }) => {
              seen.push(`${topic} ${payload.toString()} ${qos}`);
              if (seen.length === 3) resolve(seen);
            });
            client.subscribe("page/#", { qos: 2 }, () => {
              for (const qos of [0, 1, 2] as const) client.publish(`page/${qos}`, `m${qos}`, { qos });
            });
          }),
        [address, protocolVersion] as const,
      );
      expect(received.sort()).toEqual(["page/0 m0 0", "page/1 m1 1", "page/2 m2 2"]);
    }
  });

  test("a page of another origin is refused", async () => {
    const { address, page } = await visit('origins: ["https://somewhere.example"]');
    const outcome = await page.evaluate(
      (url) =>
        new Promise<string>((resolve) => {
          const client = self.mqtt.connect(url, { reconnectPeriod: 0 });
          client.on("connect", () => resolve("connected"));
          client.on("close", () => resolve("closed"));
          client.on("error", () => resolve("closed"));
        }),
      address,
    );
    expect(outcome).toBe("closed");
  });

  test("the codec runs as it is, without Buffer", async () => {
    const page = await openPage();
    const result = await page.evaluate(() => {
      const { encode, PacketDecoder } = self.codec;
      const payload = new TextEncoder().encode("grüße");
      const properties = { userProperties: [["ä", "ö"]] as const };
      const bytes = encode(
        { type: "publish", topic: "größe/°C", payload, qos: 1, retain: true, dup: false, packetId: 7, properties },
        5,
      );
      const decoder = new PacketDecoder({ version: 5 });
      const packets = [...bytes].flatMap((byte) => decoder.push(new Uint8Array([byte])));
      const packet = packets[0];
      if (packet?.type !== "publish") return undefined;
      return {
        hasBuffer: typeof self.Buffer,
        topic: packet.topic,
        text: new TextDecoder().decode(packet.payload),
        userProperties: packet.properties?.userProperties,
      };
    });
    expect(result).toEqual({ hasBuffer: "undefined", topic: "größe/°C", text: "grüße", userProperties: [["ä", "ö"]] });
  });
});
