// Errors of the admin API (RFC 9457), and what a person reads of them.

export class Problem extends Error {
  override readonly name: string = "Problem";
  /** 0: the broker did not answer. */
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;

  constructor(status: number, code: string, message: string, field?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

export async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text().catch(() => "");
  try {
    const { code, detail, field } = JSON.parse(text) as Partial<Record<"code" | "detail" | "field", string>>;
    return new Problem(response.status, code ?? "unknown", detail ?? response.statusText, field);
  } catch {
    return new Problem(response.status, "unknown", `the broker answered ${response.status} ${response.statusText}`);
  }
}

export function unreachable(): Problem {
  return new Problem(0, "unreachable", "the broker does not answer");
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
