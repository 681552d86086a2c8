import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import webServiceAuth from "../src/web-service-auth.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test("the example prints what it should", async () => {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((...words: unknown[]) => void lines.push(words.join(" ")));
  await import("../src/main.ts");
  expect(lines).toEqual([
    "ada/lamp was published",
    expect.stringMatching(/^bob\/lamp .*not authorized/i),
    expect.stringMatching(/not authorized/i),
  ]);
});

async function hostOf(answer: RequestListener): Promise<TestHost> {
  const service = createServer(answer).listen(0, "127.0.0.1");
  await once(service, "listening");
  onTestFinished(() => {
    service.closeAllConnections();
    service.close();
  });
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;
  return TestHost.start([webServiceAuth({ url, timeout: 60_000 })]);
}
const ada = testClient({ username: "ada" });
const password = new TextEncoder().encode("x");

describe("a service that", () => {
  test("gives topics: those, and nothing wider", async () => {
    const host = await hostOf((_request, response) => void response.end('{ "topics": ["a/+", "b", 7, "#/x"] }'));
    const { reasonCode, attributes } = await host.chain.authenticate(ada, password);
    expect(reasonCode).toBe(0);
    expect(Object.values(attributes ?? {})).toEqual([["a/+", "b", "#/x"]]);
    const client = testClient({ attributes: { ...attributes } });
    const may = async (action: "publish" | "subscribe", topic: string): Promise<boolean> =>
      (await host.chain.authorize?.(client, action, topic))?.reasonCode === 0;
    expect(await may("publish", "a/1")).toBe(true);
    expect(await may("publish", "b/1")).toBe(false);
    expect(await may("subscribe", "a/+")).toBe(true);
    for (const wider of ["#", "a/#", "+/+", "$share/g/a/#", "#/x"]) expect(await may("subscribe", wider)).toBe(false);
  });

  test.each<[name: string, answer: RequestListener]>([
    ["says 401", (_request, response) => void response.writeHead(401).end()],
    ["fails", (_request, response) => void response.writeHead(500).end()],
    ["sends the client elsewhere", (_request, response) => void response.writeHead(307, { location: "/other" }).end()],
    ["sends no topics", (_request, response) => void response.end("{}")],
    ["sends no JSON", (_request, response) => void response.end("yes")],
    ["hangs up", ({ socket }) => void socket.destroy()],
  ])("%s lets nobody in", async (_name, answer) => {
    const host = await hostOf(answer);
    expect((await host.chain.authenticate(ada, password)).reasonCode).not.toBe(0);
    expect(host.failures).toEqual([]);
    expect(JSON.stringify(host.logs)).not.toContain("password");
  });
});
