// Records traces of a broker on a simulated clock.
import type { BrokerFixture } from "@wrenmq/testkit";
import type { Admin } from "../../src/index.ts";

export type TraceInput = Parameters<Admin["call"]>[1] & { readonly seconds?: number };

/** The whole trace of what `act` does, as a file. */
export async function record(
  { admin, fixture }: { readonly admin: Admin; readonly fixture: BrokerFixture },
  input: TraceInput,
  act: () => Promise<unknown>,
): Promise<string> {
  const lines = await admin.call("trace.run", input);
  const text = (async () => {
    let all = "";
    for await (const line of lines) all += `${JSON.stringify(line)}\n`;
    return all;
  })();
  await act();
  await fixture.clock.advance((input.seconds ?? 60) * 1000);
  return text;
}
