// Records traces of a broker on a simulated clock.
import { type BrokerFixture, startBroker } from "@wrenmq/testkit";
import { afterEach } from "vitest";
import { type Admin, createAdmin } from "../../src/index.ts";
import { MemoryLogger } from "./memory-logger.ts";

export type TraceInput = Parameters<Admin["call"]>[1] & { readonly seconds?: number };

/** The broker of the test that runs, with its administration; both end with the test. */
export class TracedBroker {
  #fixture: BrokerFixture | undefined;
  #admin: Admin | undefined;

  constructor() {
    afterEach(async () => {
      this.#admin?.close();
      await this.#fixture?.stop();
      this.#admin = this.#fixture = undefined;
    });
  }

  async start(options: Parameters<typeof startBroker>[0] = {}): Promise<void> {
    const fixture = await startBroker(options);
    this.#fixture = fixture;
    this.#admin = createAdmin({ broker: fixture.broker, logger: new MemoryLogger(), clock: fixture.clock });
  }

  get fixture(): BrokerFixture {
    if (this.#fixture === undefined) throw new Error("the broker has not been started");
    return this.#fixture;
  }

  get admin(): Admin {
    if (this.#admin === undefined) throw new Error("the broker has not been started");
    return this.#admin;
  }

  /** The whole trace of what `act` does, as a file. */
  async trace(input: TraceInput, act: () => Promise<unknown>): Promise<string> {
    const lines = await this.admin.call("trace.run", input);
    const text = (async () => {
      let all = "";
      for await (const line of lines) all += `${JSON.stringify(line)}\n`;
      return all;
    })();
    await act();
    await this.fixture.clock.advance((input.seconds ?? 60) * 1000);
    return text;
  }
}
