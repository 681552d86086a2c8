// Reads the body of a request: JSON of bounded length. The time limit is the server's `requestTimeout`.
import type { IncomingMessage } from "node:http";
import { AdminError } from "../admin-error.ts";

/** A payload of 1 MiB in base64, and the rest of the JSON. */
const LONGEST = 1_600_000;

/**
 * @param longest bytes
 * @throws AdminError
 */
export async function jsonBody(request: IncomingMessage, longest = LONGEST): Promise<unknown> {
  const type = request.headers["content-type"] ?? "";
  // Without CORS, pages of other origins can send forms and plain text, but not JSON.
  if (!/^application\/json(?:\s*;|$)/i.test(type)) {
    throw new AdminError("not_acceptable", `content type ${JSON.stringify(type)}: expected application/json`, {
      expected: "application/json",
    });
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longest) throw new AdminError("too_large", `the body is longer than ${longest} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new AdminError("invalid_input", "the body is not JSON", { expected: "a JSON object" });
  }
}
