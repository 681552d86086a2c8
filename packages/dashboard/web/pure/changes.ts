// What a reload does, in words.

export type Effect = "now" | "opens" | "closes" | "moves" | "starts" | "stops" | "startsAgain" | "order" | "restart";

interface EffectWords {
  readonly tone: "ok" | "warn" | "bad" | "quiet";
  readonly text: string;
}

export const EFFECTS: Readonly<Record<Effect, EffectWords>> = {
  now: { tone: "ok", text: "at once" },
  opens: { tone: "ok", text: "opens" },
  closes: { tone: "bad", text: "closes" },
  moves: { tone: "bad", text: "moves" },
  starts: { tone: "ok", text: "starts" },
  stops: { tone: "warn", text: "stops" },
  startsAgain: { tone: "warn", text: "starts anew" },
  order: { tone: "warn", text: "other order" },
  restart: { tone: "quiet", text: "after a restart" },
};

interface Change {
  readonly key: string;
  readonly effect: Effect;
}

/** The name of a listener or plugin in a key. */
function namesOf(changes: readonly Change[], ...effects: readonly Effect[]): string[] {
  const keys = changes.filter(({ effect }) => effects.includes(effect)).map(({ key }) => key.split(".")[1] ?? key);
  return [...new Set(keys)];
}

/** What an operator should know before a reload, the worst first. */
export function consequences(changes: readonly Change[]): string[] {
  const gone = namesOf(changes, "closes", "moves");
  const plugins = namesOf(changes, "starts", "stops", "startsAgain", "order");
  const waits = changes.filter(({ effect }) => effect === "restart").length;
  const lines: string[] = [];
  if (gone.length > 0) {
    const what = gone.length === 1 ? "The listener" : "The listeners";
    lines.push(
      `${what} ${gone.join(", ")} ${gone.length === 1 ? "closes or moves" : "close or move"}: clients there are disconnected.`,
    );
  }
  if (plugins.length > 0) lines.push("Plugins change: what clients may do is checked again.");
  if (waits === changes.length && waits > 0) lines.push("Nothing of it counts before the broker is started again.");
  else if (waits > 0) {
    lines.push(`${waits === 1 ? "One change counts" : `${waits} changes count`} only after a restart of the broker.`);
  }
  return lines;
}
