// Sends the lines of a stream: NDJSON, or server-sent events if the request asks for them. While there is nothing to
// send, a heartbeat shows both sides that the other one is there.
import type { IncomingMessage, ServerResponse } from "node:http";

const HEARTBEAT = 15_000;

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
  lines: AsyncIterable<unknown>,
): Promise<void> {
  const form = wantsEvents(request.headers.accept) ? EVENTS : NDJSON;
  response.writeHead(200, { ...headers, "content-type": form.type });
  response.flushHeaders();
  const timer = setInterval(() => {
    if (!response.writableNeedDrain) response.write(form.heartbeat);
  }, HEARTBEAT);
  timer.unref();
  try {
    for await (const line of lines) {
      if (response.destroyed) return;
      if (response.write(form.line(JSON.stringify(line)))) continue;
      await drained(response);
      // Lets other work run between two pieces.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    response.end(form.end);
  } finally {
    clearInterval(timer);
  }
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
