// Interprets an HTTP response: yes, no, or no opinion.

export type ResponseMode = "status" | "json" | "text";

export interface HttpResponse {
  readonly status: number;
  readonly body: string;
}

/** As aMQTT does; undefined: no opinion. */
export function readAnswer(mode: ResponseMode, { status, body }: HttpResponse): boolean | undefined {
  const success = status >= 200 && status < 300;
  switch (mode) {
    case "status":
      return success ? true : status >= 400 && status < 500 ? false : undefined;
    case "text":
      return success && body.trim().toLowerCase() === "ok";
    case "json":
      return success ? okOf(body) : false;
  }
}

/**
 * The key `ok`, in any case, must be a boolean; without it there is no opinion. Anything but a JSON object is a
 * refusal.
 */
function okOf(body: string): boolean | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return false;
  }
  if (typeof parsed !== "object" || parsed === null) return false;
  const ok = Object.entries(parsed).find(([key]) => key.toLowerCase() === "ok")?.[1] as unknown;
  return ok === undefined || ok === null ? undefined : ok === true;
}
