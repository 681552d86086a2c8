// The decision rule: no opinion is ignored, any refusal denies, at least one yes is needed. A hook that answers at once
// costs a call; only when one answers with a promise does the rest of the question become asynchronous.
import { ReasonCode } from "@wrenmq/codec";
import { ALLOWED, isAllowed, type Verdict } from "@wrenmq/protocol";
import { type Attempt, PendingAttempt } from "./attempt.ts";
import type { ClientInfo } from "./client-info.ts";
import type { NamedHooks } from "./compile-hooks.ts";
import type { HookChain } from "./hook-chain.ts";
import { type HookGuard, isPromise } from "./hook-guard.ts";
import type { Action, Decision, Identity, MaybePromise } from "./hooks.ts";

const NOBODY_AUTHENTICATES: Identity = {
  reasonCode: ReasonCode.NotAuthorized,
  rule: "no plugin authenticates clients: nobody may enter",
};
const NOBODY_VOUCHES: Identity = {
  reasonCode: ReasonCode.NotAuthorized,
  rule: "no plugin has an opinion about these credentials",
};
const NO_RULE: Verdict = { reasonCode: ReasonCode.NotAuthorized, rule: "no rule allows it" };

/** One plugin's answers with its name on them. The frequent ones are made once. */
export class Voice {
  readonly plugin: string;
  readonly hook: string;
  readonly yes: Verdict;
  readonly no: Verdict;
  /** What counts when the hook throws, rejects or is late. */
  readonly failure: Verdict;

  constructor(plugin: string, hook: string, failureCode: ReasonCode) {
    this.plugin = plugin;
    this.hook = hook;
    this.yes = { reasonCode: ReasonCode.Success, rule: plugin };
    this.no = { reasonCode: ReasonCode.NotAuthorized, rule: plugin };
    this.failure = { reasonCode: failureCode, rule: `the hook "${hook}" failed` };
  }

  sign<T extends Verdict>(verdict: T): T {
    return { ...verdict, rule: verdict.rule === undefined ? this.plugin : `${this.plugin}: ${verdict.rule}` };
  }

  /** Undefined stays undefined: no opinion. */
  verdict(decision: Decision): Verdict | undefined {
    if (decision === undefined) return undefined;
    if (decision === true) return this.yes;
    if (decision === false) return this.no;
    return this.sign(decision);
  }
}

type Authenticate = (
  client: ClientInfo,
  password: Uint8Array | undefined,
  attempt: Attempt,
) => MaybePromise<boolean | Identity | undefined>;

export function compileAuthenticate(plugins: readonly NamedHooks[], guard: HookGuard): HookChain["authenticate"] {
  const voices: { voice: Voice; ask: Authenticate }[] = [];
  for (const { name, hooks } of plugins) {
    if (hooks.authenticate === undefined) continue;
    voices.push({
      voice: new Voice(name, "authenticate", ReasonCode.ServerUnavailable),
      ask: hooks.authenticate.bind(hooks),
    });
  }
  if (voices.length === 0) return () => NOBODY_AUTHENTICATES;

  // Everybody is asked even after a refusal: who refused must not show in how long the answer took.
  return (client, password, whenGone) => {
    const answers: (Identity | undefined)[] = [];
    let waiting: Promise<Identity | undefined>[] | undefined;
    for (const { voice, ask } of voices) {
      const attempt = new PendingAttempt();
      let answer: MaybePromise<boolean | Identity | undefined>;
      try {
        answer = ask(client, password, attempt);
      } catch (error) {
        guard.failed(voice.plugin, voice.hook, error);
        answer = voice.failure;
      }
      if (isPromise(answer)) {
        waiting ??= [];
        whenGone?.(() => attempt.abandon());
        const settled = guard.settle(answer, voice.plugin, voice.hook, voice.failure, attempt);
        waiting.push(settled.then((late) => voice.verdict(late)));
      } else {
        answers.push(voice.verdict(answer));
      }
    }
    if (waiting === undefined) return judgeIdentities(answers);
    return Promise.all(waiting).then((late) => judgeIdentities([...answers, ...late]));
  };
}

function judgeIdentities(answers: readonly (Identity | undefined)[]): Identity {
  let first: Identity | undefined;
  let merged: Identity | undefined;
  for (const answer of answers) {
    if (answer === undefined) continue;
    if (!isAllowed(answer)) return answer;
    if (first === undefined) first = answer;
    else merged = mergeIdentities(merged ?? first, answer);
  }
  return merged ?? first ?? NOBODY_VOUCHES;
}

/**
 * The first user name counts, the earlier end, and all attributes. Only `anonymous` is different: a client is anonymous
 * when everybody who said yes says so, not when one plugin checked its password and another lets everybody in.
 */
function mergeIdentities(one: Identity, other: Identity): Identity {
  const attributes: Record<string, unknown> = { ...one.attributes, ...other.attributes };
  if (one.attributes?.["anonymous"] !== true || other.attributes?.["anonymous"] !== true) {
    delete attributes["anonymous"];
  }
  return {
    ...one,
    username: one.username ?? other.username,
    expiresAt:
      one.expiresAt === undefined || other.expiresAt === undefined
        ? (one.expiresAt ?? other.expiresAt)
        : Math.min(one.expiresAt, other.expiresAt),
    attributes,
  };
}

export interface Authorizer {
  readonly voice: Voice;
  readonly ask: (client: ClientInfo, action: Action, topic: string) => MaybePromise<Decision>;
}

export function authorizersOf(plugins: readonly NamedHooks[]): readonly Authorizer[] {
  const authorizers: Authorizer[] = [];
  for (const { name, hooks } of plugins) {
    if (hooks.authorize === undefined) continue;
    authorizers.push({
      voice: new Voice(name, "authorize", ReasonCode.NotAuthorized),
      ask: hooks.authorize.bind(hooks),
    });
  }
  return authorizers;
}

export function askAuthorizer(
  guard: HookGuard,
  { voice, ask }: Authorizer,
  client: ClientInfo,
  action: Action,
  topic: string,
): MaybePromise<Decision> {
  try {
    const answer = ask(client, action, topic);
    return isPromise(answer) ? guard.settle(answer, voice.plugin, voice.hook, voice.failure) : answer;
  } catch (error) {
    guard.failed(voice.plugin, voice.hook, error);
    return voice.failure;
  }
}

export function compileAuthorize(authorizers: readonly Authorizer[], guard: HookGuard): HookChain["authorize"] {
  if (authorizers.length === 0) return undefined;
  return (client, action, topic) => {
    let yes: Verdict | undefined;
    let waiting: Promise<Verdict | undefined>[] | undefined;
    for (const authorizer of authorizers) {
      const answer = askAuthorizer(guard, authorizer, client, action, topic);
      if (answer === undefined) continue;
      if (isPromise(answer)) {
        waiting ??= [];
        waiting.push(signLater(authorizer.voice, answer));
        continue;
      }
      const verdict = authorizer.voice.verdict(answer);
      if (verdict === undefined) continue;
      if (!isAllowed(verdict)) return verdict;
      yes ??= verdict;
    }
    return waiting === undefined ? (yes ?? NO_RULE) : judgeLater(waiting, yes, NO_RULE);
  };
}

export function compileAuthorizeConnect(
  plugins: readonly NamedHooks[],
  guard: HookGuard,
): HookChain["authorizeConnect"] {
  const voices: { voice: Voice; ask: (client: ClientInfo) => MaybePromise<Decision> }[] = [];
  for (const { name, hooks } of plugins) {
    if (hooks.authorizeConnect === undefined) continue;
    voices.push({
      voice: new Voice(name, "authorizeConnect", ReasonCode.ServerUnavailable),
      ask: hooks.authorizeConnect.bind(hooks),
    });
  }
  if (voices.length === 0) return undefined;
  return (client) => {
    let waiting: Promise<Verdict | undefined>[] | undefined;
    for (const { voice, ask } of voices) {
      let answer: MaybePromise<Decision>;
      try {
        answer = ask(client);
      } catch (error) {
        guard.failed(voice.plugin, voice.hook, error);
        answer = voice.failure;
      }
      if (isPromise(answer)) {
        waiting ??= [];
        waiting.push(signLater(voice, guard.settle(answer, voice.plugin, voice.hook, voice.failure)));
        continue;
      }
      const verdict = voice.verdict(answer);
      if (verdict !== undefined && !isAllowed(verdict)) return verdict;
    }
    return waiting === undefined ? ALLOWED : judgeLater(waiting, undefined, ALLOWED);
  };
}

function signLater(voice: Voice, answer: Promise<Decision>): Promise<Verdict | undefined> {
  return answer.then((decision) => voice.verdict(decision));
}

async function judgeLater(
  waiting: readonly Promise<Verdict | undefined>[],
  yes: Verdict | undefined,
  otherwise: Verdict,
): Promise<Verdict> {
  let allowed = yes;
  for (const verdict of await Promise.all(waiting)) {
    if (verdict === undefined) continue;
    if (!isAllowed(verdict)) return verdict;
    allowed ??= verdict;
  }
  return allowed ?? otherwise;
}
