// Sends the lines of a stream: NDJSON, or server-sent events if the request asks for them. While there is nothing to
// send, a heartbeat shows both sides that the other one is there.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Lines } from "../admin.ts";

const HEARTBEAT = 15_000;
/** Milliseconds that the first line is waited for before the answer begins. */
const FIRST_LINE = 250;
/** Header and trailer: members whose lines are missing. */
const INCOMPLETE_HEADER = "wrenmq-incomplete";

interface Form {
  readonly type: string;
  /** What readers skip. */
  readonly heartbeat: string;
  /** Tells a reader that would connect again that there is no more. */
  readonly end: string;
  line(json: string): string;
}

const NDJSON: Form = { type: "application/x-ndjson", heartbeat: "\n", end: "", line: (json) => `${json}\n` };
const EVENTS: Form = {
  type: "text/event-stream",
  heartbeat: ":\n\n",
  end: "event: end\ndata: {}\n\n",
  line: (json) => `data: ${json}\n\n`,
};

/** Aborted when the client is gone, or the server closes. */
export function goneSignal(response: ServerResponse, closing: AbortSignal | undefined): AbortSignal {
  const controller = new AbortController();
  const end = (): void => {
    closing?.removeEventListener("abort", end);
    controller.abort();
  };
  response.once("close", end);
  closing?.addEventListener("abort", end, { once: true });
  if (response.destroyed || closing?.aborted === true) end();
  return controller.signal;
}

export async function sendLines(
  request: IncomingMessage,
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  lines: Lines<unknown>,
): Promise<void> {
  const form = wantsEvents(request.headers.accept) ? EVENTS : NDJSON;
  const iterator = lines[Symbol.asyncIterator]();
  // What fails at once is a problem and no stream; a stream without a line for now begins nevertheless.
  const first = iterator.next();
  await firstOrPause(first);
  // Meanwhile the caller has gone, or the session that it came with has ended.
  if (response.headersSent || response.destroyed) {
    await iterator.return?.();
    return;
  }
  response.writeHead(200, {
    ...headers,
    "content-type": form.type,
    trailer: INCOMPLETE_HEADER,
    ...incompleteOf(lines),
  });
  response.flushHeaders();
  const timer = setInterval(() => {
    if (!response.writableNeedDrain) response.write(form.heartbeat);
  }, HEARTBEAT);
  timer.unref();
  try {
    for (let next = await first; next.done !== true; next = await iterator.next()) {
      if (response.destroyed) return;
      if (response.write(form.line(JSON.stringify(next.value)))) continue;
      await drained(response);
      // Lets other work run between two pieces.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    response.addTrailers(incompleteOf(lines));
    response.end(form.end);
  } finally {
    clearInterval(timer);
    await iterator.return?.();
  }
}

/** @throws what the first line has thrown in time */
async function firstOrPause(first: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const pause = new Promise((resolve) => {
    timer = setTimeout(resolve, FIRST_LINE);
  });
  try {
    await Promise.race([first, pause]);
  } finally {
    clearTimeout(timer);
  }
}

function incompleteOf({ incomplete }: Lines<unknown>): Record<string, string> {
  return incomplete.length === 0 ? {} : { [INCOMPLETE_HEADER]: incomplete.join(", ") };
}

/** Is `text/event-stream` among what the request accepts, by its own name? */
function wantsEvents(accept: string | undefined): boolean {
  return accept?.split(",").some((one) => one.split(";", 1)[0]?.trim().toLowerCase() === EVENTS.type) === true;
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.once("drain", done).once("close", done);
  });
}
