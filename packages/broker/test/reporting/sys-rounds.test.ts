import { expect, test, vi } from "vitest";
import { type BrokerFixture, MemoryLogger, startBroker } from "../support.ts";

function told({ broker }: BrokerFixture, topic: string): string {
  const [message] = broker.retained(`$SYS/broker/${topic}`);
  return new TextDecoder().decode(message?.payload);
}

test("$SYS goes on after a round that failed", async () => {
  const logger = new MemoryLogger();
  const fixture = await startBroker({ logger, sys: { intervalSeconds: 10 } });
  expect(told(fixture, "uptime")).toBe("0");
  const cpuUsage = vi.spyOn(process, "cpuUsage").mockImplementationOnce(() => {
    throw new Error("no more descriptors");
  });
  await fixture.clock.advance(10_000);
  cpuUsage.mockRestore();
  expect([logger.errors, told(fixture, "uptime")]).toEqual([["a timer failed"], "0"]);
  await fixture.clock.advance(10_000);
  expect(told(fixture, "uptime")).toBe("20");
  await fixture.stop();
});

test("$SYS tells of connections that came to nothing", async () => {
  const fixture = await startBroker({ sys: { intervalSeconds: 10 } });
  fixture.open(5);
  await fixture.clock.advance(20_000);
  expect([told(fixture, "connections/failed/connect"), told(fixture, "connections/failed/handshake")]).toEqual([
    "1",
    "0",
  ]);
  await fixture.stop();
});
