// The reader against that of the package `ws`: the same bytes, control frames and close codes, wherever they are cut.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as ws from "ws";
import { WsFrameReader } from "../../src/websocket/frame-reader.ts";
import { cut, cuts, frameStreams } from "./frames.ts";

interface Outcome {
  readonly payload: Buffer;
  readonly pings: string[];
  /** Close code that the server answers with; undefined: the connection stays. */
  readonly closed: number | undefined;
}

/** A close frame without a code. */
const NO_CODE = 1005;
const MOST = 1500;

function ours(chunks: readonly Buffer[]): Outcome & { readonly reason: string } {
  const payload: Buffer[] = [];
  const pings: string[] = [];
  let closed: number | undefined;
  let reason = "";
  const reader = new WsFrameReader(
    {
      payload: (bytes, start, end) => payload.push(Buffer.from(bytes.slice(start, end))) > 0,
      ping: (bytes) => void pings.push(Buffer.from(bytes).toString("hex")),
      close(code = NO_CODE) {
        closed = code;
      },
      violation(code, why) {
        closed = code;
        reason = why;
      },
    },
    MOST,
  );
  for (const chunk of chunks) {
    const bytes = new Uint8Array(chunk);
    expect(reader.read(bytes, 0, bytes.length)).toBe(bytes.length);
  }
  return { payload: Buffer.concat(payload), pings, closed, reason };
}

interface Receiver extends NodeJS.EventEmitter {
  write(chunk: Buffer, done: (error?: Error | null) => void): void;
}
// The package has it, its types do not.
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Receiver };

async function theirs(chunks: readonly Buffer[]): Promise<Outcome> {
  const messages: Buffer[] = [];
  const pings: string[] = [];
  let closed: number | undefined;
  const receiver = new Receiver({ isServer: true, maxPayload: MOST, skipUTF8Validation: true });
  receiver
    .on("message", (data: Buffer) => messages.push(data))
    .on("ping", (data: Buffer) => pings.push(data.toString("hex")))
    .on("conclude", (code: number) => {
      closed ??= code;
    })
    .on("error", () => {});
  for (const chunk of chunks) {
    receiver.write(Buffer.from(chunk), (error) => {
      const [key] = error ? Object.getOwnPropertySymbols(error) : [];
      if (key !== undefined) closed ??= (error as unknown as Record<symbol, number>)[key];
    });
  }
  // Errors are told a moment later.
  await new Promise((resolve) => setImmediate(resolve));
  return { payload: Buffer.concat(messages), pings, closed };
}

describe("MQTT 5.0", () => {
  test("[MQTT-6.0.0-2] any stream of frames, cut anywhere: the reader says what that of ws says", async () => {
    const ends = new Set<number | undefined>();
    await fc.assert(
      fc.asyncProperty(frameStreams, cuts, async (bytes, places) => {
        const read = ours(cut(bytes, places));
        expect(ours([bytes])).toEqual(read);
        const expected = await theirs(cut(bytes, places));
        ends.add(read.closed);
        // A text is nothing that ws would mind.
        if (read.closed === 1003) return;
        const { closed, pings, payload } = read;
        expect({ closed, pings }).toEqual({ closed: expected.closed, pings: expected.pings });
        // ws tells messages when they are complete.
        expect(payload.subarray(0, expected.payload.length).equals(expected.payload)).toBe(true);
      }),
      { numRuns: 200 },
    );
    expect([...ends]).toEqual(expect.arrayContaining([undefined, 1002, NO_CODE]));
  });
});
