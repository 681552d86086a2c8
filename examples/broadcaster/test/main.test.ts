import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { afterEach, expect, test, vi } from "vitest";
import broadcaster from "../src/broadcaster.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test("the example prints what it should", async () => {
  const lines: unknown[] = [];
  vi.spyOn(console, "log").mockImplementation((line: unknown) => void lines.push(line));
  await import("../src/main.ts");
  expect(lines).toEqual(["house/come: bob", "house/present: 2"]);
});

const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);

test("it reports at its interval, and when somebody comes or goes, until it ends", async () => {
  const host = await TestHost.start([broadcaster({ topic: "t", interval: 1_000 })]);
  const said = (): string[] => host.published.splice(0).map(({ topic, payload }) => `${topic} ${text(payload)}`);
  const { observe } = host.chain;
  observe.brokerStarted?.();
  host.advance(999);
  expect(said()).toEqual(["t/open yes"]);
  observe.connected?.(testClient({ clientId: "a" }));
  observe.connected?.(testClient({ clientId: "b" }));
  observe.disconnected?.(testClient({ clientId: "a" }), 0);
  host.advance(1);
  expect(said()).toEqual(["t/come a", "t/come b", "t/gone a", "t/present 1"]);
  expect(text(host.retained.get("t/last")?.payload ?? new Uint8Array())).toBe("a has gone");
  await host.close();
  host.advance(10_000);
  expect(said()).toEqual([]);
});

test("it can keep quiet about who comes and goes", async () => {
  const host = await TestHost.start([broadcaster({ announce: false })]);
  host.chain.observe.connected?.(testClient());
  expect(host.published).toEqual([]);
});
