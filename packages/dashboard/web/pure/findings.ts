// Is all well? What is not, in words, the worst first.
import { count, duration, latency, perSecond } from "./format.ts";
import { lastSeconds, reasonsOf, recentRate, type Sample } from "./rates.ts";
import { dropReason } from "./reasons.ts";

export type Level = "bad" | "warn";

export interface Finding {
  readonly level: Level;
  readonly text: string;
  /** What to do, or where to look. */
  readonly hint: string;
  /** Address of the page that shows more. */
  readonly href?: string;
}

export interface Health {
  readonly ready: boolean;
  readonly state: string;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail?: string | undefined }[];
}

export interface Certificate {
  readonly listener: string;
  readonly daysLeft?: number | undefined;
  readonly problem?: string | undefined;
}

export interface FailingPlugin {
  readonly name: string;
  /** ISO 8601 */
  readonly lastFailureAt?: string | undefined;
  /** Hook and message. */
  readonly lastFailure?: string | undefined;
}

/** Milliseconds after a failure in which a plugin counts as ill. */
const ILL_FOR = 600_000;

/** Seconds of late event loop that clients notice. */
const LATE = 0.1;
const DAYS_TO_WARN = 30;
const DAYS_TO_ACT = 7;
/** Seconds of samples that are looked at. */
const LOOKED_AT = 60;

const CHECKS: Readonly<Record<string, Omit<Finding, "level">>> = {
  started: { text: "The broker is not started", hint: "Its log says what it waits for." },
  store: {
    text: "The store refuses what is written",
    hint: "Usually the disk is full. Publishers of QoS 1 and 2 are refused until there is room.",
  },
  listeners: { text: "No listener is open", hint: "Nobody can connect.", href: "#/listeners" },
  "not draining": { text: "The broker is draining", hint: "Nobody new is let in.", href: "#/listeners" },
};

/** Reasons of losses that are a fault of somebody; others are usual where QoS 0 is used. */
const SERIOUS: ReadonlySet<string> = new Set(["queueFull", "storeFull", "notAuthorized", "tooLarge"]);

export function findingsOf(
  health: Health | undefined,
  samples: readonly Sample[],
  certificates: readonly Certificate[] = [],
  plugins: readonly FailingPlugin[] = [],
  now: number = Date.now(),
): Finding[] {
  const found = [...ofHealth(health), ...ofLosses(samples), ...ofLoop(samples), ...ofQueue(samples)];
  found.push(...certificates.flatMap(ofCertificate), ...plugins.filter((one) => isIll(one, now)).map(ofPlugin));
  return found.toSorted((one, other) => rank(one) - rank(other));
}

const rank = ({ level }: Finding): number => (level === "bad" ? 0 : 1);

function ofHealth(health: Health | undefined): Finding[] {
  return (health?.checks ?? [])
    .filter(({ ok }) => !ok)
    .map(({ name, detail }) => {
      const known = CHECKS[name] ?? { text: `The check “${name}” fails`, hint: "" };
      const level = name === "not draining" ? "warn" : "bad";
      return { ...known, level, hint: detail === undefined ? known.hint : `${known.hint} (${detail})` };
    });
}

function ofLosses(samples: readonly Sample[]): Finding[] {
  return reasonsOf(lastSeconds(samples, LOOKED_AT))
    .filter(({ reason }) => SERIOUS.has(reason))
    .map(({ reason, count: lost }) => ({
      level: reason === "storeFull" ? "bad" : "warn",
      text: `${count(lost)} ${lost === 1 ? "message was" : "messages were"} lost in the last minute: ${dropReason(reason)}`,
      hint: "See who loses most.",
      href: "#/clients?sort=dropped",
    }));
}

function ofLoop(samples: readonly Sample[]): Finding[] {
  const recent = lastSeconds(samples, 10).map(({ loopDelayP99 }) => loopDelayP99);
  const late = recent.filter((delay) => delay >= LATE);
  if (late.length < 3) return [];
  const text = `The event loop is late by ${latency(Math.max(...late))}`;
  return [{ level: "warn", text, hint: "The process has more to do than it can: messages are slower." }];
}

function ofQueue(samples: readonly Sample[]): Finding[] {
  const recent = lastSeconds(samples, LOOKED_AT);
  const growth = recentRate(recent, ({ queued }) => queued, LOOKED_AT);
  const queued = recent.at(-1)?.queued ?? 0;
  if (recent.length < 30 || !(growth > 10) || queued < 1_000) return [];
  const text = `${count(queued)} messages wait, and it gets more by ${perSecond(growth)}`;
  return [{ level: "warn", text, hint: "See whose queue grows.", href: "#/sessions?view=queues" }];
}

/** Has it failed lately? */
export function isIll({ lastFailureAt }: FailingPlugin, now: number): boolean {
  return lastFailureAt !== undefined && now - Date.parse(lastFailureAt) < ILL_FOR;
}

function ofPlugin({ name, lastFailure = "" }: FailingPlugin): Finding {
  const text = `The plugin “${name}” has failed within the last ten minutes`;
  return { level: "warn", text, hint: lastFailure === "" ? "See the plugins." : lastFailure, href: "#/plugins" };
}

function ofCertificate({ listener, daysLeft, problem }: Certificate): Finding[] {
  const href = "#/listeners";
  if (problem !== undefined) {
    return [{ level: "warn", text: `A certificate of “${listener}” cannot be read`, hint: problem, href }];
  }
  if (daysLeft === undefined || daysLeft > DAYS_TO_WARN) return [];
  const hint = "Put the new files where the old ones are: they are read by themselves.";
  if (daysLeft < 0) return [{ level: "bad", text: `The certificate of “${listener}” has ended`, hint, href }];
  const level = daysLeft <= DAYS_TO_ACT ? "bad" : "warn";
  return [{ level, text: `The certificate of “${listener}” ends in ${duration(daysLeft * 86_400)}`, hint, href }];
}
