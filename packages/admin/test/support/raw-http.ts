// HTTP as it comes over the wire: requests that no client of good faith writes, and answers as they are.
import { connect, type Socket } from "node:net";
import { expect } from "vitest";

export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export function dial(address: string): Socket {
  const { hostname, port } = new URL(address);
  return connect(Number(port), hostname).on("error", () => {});
}

/** Whatever the reason. */
export async function whenClosed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
}

/** What comes until the server closes the connection. */
export async function untilClosed(socket: Socket): Promise<string> {
  let seen = "";
  socket.on("data", (bytes: Buffer) => {
    seen += bytes.toString("latin1");
  });
  await whenClosed(socket);
  return seen;
}

/** Sends a text and returns what comes until the server closes the connection. */
export async function rawRequest(address: string, text: string | Uint8Array): Promise<string> {
  const socket = dial(address);
  socket.write(typeof text === "string" ? Buffer.from(text, "latin1") : text);
  return untilClosed(socket);
}

export interface Wish {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly host?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** The bytes of a request. */
export function requestText(
  path: string,
  { method = "GET", token, host = "localhost", headers = {}, body }: Wish = {},
) {
  const all: Record<string, string> = {
    host,
    connection: "close",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { "content-type": "application/json", "content-length": String(body.length) }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
  const tail = typeof body === "string" ? Buffer.from(body, "latin1") : (body ?? new Uint8Array());
  return Buffer.concat([head, tail]);
}

export function answerOf(text: string): Answer {
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const at = line.indexOf(":");
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
  });
  return { status: Number(first.split(" ")[1]), headers: new Map(headers), body: text.slice(end + 4) };
}

/** The answer is a problem, of this status and code. */
export function expectProblem(text: string, status: number, code: string): void {
  const answer = answerOf(text);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([status, "application/problem+json"]);
  expect(JSON.parse(answer.body)).toMatchObject({ type: `urn:wrenmq:admin:${code}`, status, code });
  expect(answer.body.length).toBeLessThan(2_000);
}
