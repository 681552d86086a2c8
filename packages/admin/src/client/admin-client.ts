// Calls commands of a running broker over its Unix socket, or over HTTP with a token. Does not import the table of
// commands, so it loads fast.
import { type ClientRequestArgs, type IncomingMessage, type RequestOptions, request } from "node:http";
import { request as requestTls } from "node:https";
import { createConnection } from "node:net";
import { createInterface } from "node:readline";
import { runningSockets, socketIn, targetOf } from "../socket/location.ts";
import { RemoteProblem } from "./remote-problem.ts";

export type AdminTarget =
  | { readonly socket: string }
  | { readonly url: string; readonly token?: string; readonly caFile?: string };

export interface TargetOptions {
  /** Path of the broker's Unix socket. Default: found by `data`, or the only one in `runtime`. */
  readonly socket?: string | undefined;
  /** Data folder of the broker. Without it any broker of this user. */
  readonly data?: string | undefined;
  /** Address of the admin API. Without it a Unix socket is used. */
  readonly url?: string | undefined;
  /** Bearer token for `url`. Without it no Authorization header is sent. */
  readonly token?: string | undefined;
  /** Folder of the Unix sockets. Default: that of this user. */
  readonly runtime?: string | undefined;
}

const PATIENCE = 30_000;
/** The same as of `http/send-lines.ts`, which would be too much to load here. */
const INCOMPLETE_HEADER = "wrenmq-incomplete";

/**
 * Finds the broker: the one that `options` names, or the only one of this user that runs.
 * @throws RemoteProblem
 */
export async function findTarget(options: TargetOptions): Promise<AdminTarget> {
  const { socket, data, url, token } = options;
  if (url !== undefined) return { url, ...(token === undefined ? {} : { token }) };
  if (socket !== undefined) return { socket };
  const inData = data === undefined ? undefined : socketIn(data);
  if (inData !== undefined) return { socket: inData };
  const found = runningSockets(options.runtime);
  const alive = (await Promise.all(found.map(async (path) => ((await answers(path)) ? [path] : [])))).flat();
  const [first, ...others] = alive;
  if (first === undefined) {
    throw new RemoteProblem(
      "unreachable",
      "no broker of this user runs on this machine (see --data, --socket and --url)",
    );
  }
  if (others.length === 0) return { socket: first };
  const names = alive.map(targetOf).join(", ");
  throw new RemoteProblem("unreachable", `several brokers run; say which one with --socket: ${names}`);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const end = (is: boolean) => (): void => {
      socket.destroy();
      resolve(is);
    };
    socket.once("connect", end(true)).once("error", end(false));
  });
}

export class AdminClient {
  readonly #target: AdminTarget;

  constructor(target: AdminTarget) {
    this.#target = target;
  }

  /**
   * @param isRead true if the command changes nothing: it is a GET
   * @throws RemoteProblem
   */
  async call(name: string, isRead: boolean, input: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return JSON.parse(await textOf(await this.#request(name, isRead, input))) as unknown;
  }

  /**
   * Yields each line of a stream as it arrives; `break` ends the stream.
   * @param signal ends it while no line comes
   * @param whenIncomplete called at the end if lines of members are missing, with their names. Default: nothing is called
   * @throws RemoteProblem
   */
  async *stream(
    name: string,
    input: Readonly<Record<string, unknown>> = {},
    signal?: AbortSignal,
    whenIncomplete?: (members: string) => void,
  ): AsyncIterable<string> {
    const response = await this.#request(name, true, input);
    const leave = (): void => void response.destroy();
    signal?.addEventListener("abort", leave, { once: true });
    try {
      // An empty line is a heartbeat.
      for await (const line of createInterface({ input: response })) if (line !== "") yield line;
      if (response.complete || signal?.aborted === true) {
        const missing = response.trailers[INCOMPLETE_HEADER] ?? response.headers[INCOMPLETE_HEADER];
        if (typeof missing === "string") whenIncomplete?.(missing);
        return;
      }
    } catch (error) {
      // Of a response that was destroyed.
      if (signal?.aborted !== true) throw error;
      return;
    } finally {
      signal?.removeEventListener("abort", leave);
      response.destroy();
    }
    throw new RemoteProblem("unreachable", "the broker broke off in the middle of the answer");
  }

  async #request(name: string, isRead: boolean, input: Readonly<Record<string, unknown>>): Promise<IncomingMessage> {
    const given = Object.entries(input).filter(([, value]) => value !== undefined);
    const query = isRead
      ? new URLSearchParams(given.map(([key, value]): [string, string] => [key, wordOf(value)])).toString()
      : "";
    const path = `/api/v1/${name}${query === "" ? "" : `?${query}`}`;
    const body = isRead ? undefined : JSON.stringify(Object.fromEntries(given));
    const response = await this.#send(path, body);
    if (response.statusCode === 200) return response;
    throw problemFrom(await textOf(response), response.statusCode ?? 0);
  }

  #send(path: string, body: string | undefined): Promise<IncomingMessage> {
    const target = this.#target;
    const headers: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    const options: RequestOptions & ClientRequestArgs = { path, method: body === undefined ? "GET" : "POST", headers };
    let ask: typeof request = request;
    if ("socket" in target) options.socketPath = target.socket;
    else {
      const { protocol, hostname, port } = new URL(target.url);
      Object.assign(options, { hostname: hostname.replace(/^\[(.*)\]$/, "$1"), port });
      if (protocol === "https:") ask = requestTls;
      if (target.token !== undefined) headers["authorization"] = `Bearer ${target.token}`;
    }
    return new Promise((resolve, reject) => {
      const sent = ask(options, resolve);
      sent.setTimeout(PATIENCE, () => sent.destroy(new Error("no answer within 30 s")));
      sent.once("error", (error: NodeJS.ErrnoException) => reject(this.#unreachable(error)));
      sent.end(body);
    });
  }

  #unreachable(error: NodeJS.ErrnoException): RemoteProblem {
    const target = this.#target;
    if (!("socket" in target)) return new RemoteProblem("unreachable", `${target.url}: ${error.message}`);
    const why =
      error.code === "ENOENT" || error.code === "ECONNREFUSED"
        ? "no broker answers there"
        : error.code === "EACCES"
          ? "it belongs to another user (run the command as the broker's user)"
          : error.message;
    return new RemoteProblem("unreachable", `${target.socket}: ${why}`);
  }
}

function wordOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function problemFrom(text: string, status: number): RemoteProblem {
  try {
    const { code, detail, field } = JSON.parse(text) as { code?: string; detail?: string; field?: string };
    if (code !== undefined && detail !== undefined) return new RemoteProblem(code, detail, field);
  } catch {
    // Reported below.
  }
  return new RemoteProblem("unreachable", `the broker answered ${status}`);
}
