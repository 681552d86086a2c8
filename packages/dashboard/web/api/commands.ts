// Calls commands of the admin API, with their types.
import { Problem, problemOf, unreachable } from "./problem.ts";
import { CSRF_HEADER, session, sessionEnded } from "./session.ts";
import type { Answer, CommandName, Input } from "./types.ts";

const PREFIX = "./api/v1/";

/** @throws Problem */
export async function read<Name extends CommandName>(
  name: Name,
  input: Input<Name>,
  signal?: AbortSignal,
): Promise<Answer<Name>> {
  const response = await send(`${PREFIX}${name}${queryOf(input)}`, { ...(signal === undefined ? {} : { signal }) });
  return (await response.json()) as Answer<Name>;
}

/** @throws Problem */
export async function write<Name extends CommandName>(name: Name, input: Input<Name>): Promise<Answer<Name>> {
  const state = session.value;
  const response = await send(`${PREFIX}${name}`, {
    method: "POST",
    headers: { "content-type": "application/json", [CSRF_HEADER]: state.kind === "in" ? state.csrf : "" },
    body: JSON.stringify(input),
  });
  return (await response.json()) as Answer<Name>;
}

/**
 * Reads a stream until it ends or `signal` is aborted. Lines come in batches, as the network brings them.
 * @throws Problem
 */
export async function stream(
  name: string,
  input: object,
  { signal, lines, opened }: { signal: AbortSignal; lines(batch: unknown[]): void; opened?(): void },
): Promise<void> {
  const response = await send(`${PREFIX}${name}${queryOf(input)}`, {
    signal,
    headers: { accept: "application/x-ndjson" },
  });
  opened?.();
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const piece = await reader?.read().catch(() => {
      if (signal.aborted) return undefined;
      throw unreachable();
    });
    if (piece === undefined || piece.done) return;
    const whole = (rest + piece.value).split("\n");
    rest = whole.pop() ?? "";
    const batch = whole.flatMap((line) => (line === "" ? [] : [JSON.parse(line) as unknown]));
    if (batch.length > 0) lines(batch);
  }
}

async function send(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw unreachable();
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (problem.status === 401) sessionEnded();
  throw problem;
}

export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

export function isUnreachable(error: unknown): boolean {
  return error instanceof Problem && error.status === 0;
}

function queryOf(input: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input) as [string, unknown][]) {
    if (value === undefined || value === "") continue;
    query.set(name, typeof value === "object" ? JSON.stringify(value) : String(value));
  }
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}
