// The decision rule: no opinion is ignored, any refusal denies, at least one yes is needed. A hook that answers at once
// costs one call; the rest becomes asynchronous only when a hook returns a promise.
import { ReasonCode } from "@wrenmq/codec";
import { ALLOWED, isAllowed, type Verdict } from "@wrenmq/protocol";
import type { ClientInfo } from "../client-info.ts";
import type { Action, Decision, Identity, MaybePromise } from "../hooks.ts";
import { type Attempt, PendingAttempt } from "./attempt.ts";
import type { HookChain } from "./hook-chain.ts";
import { type HookGuard, isPromise } from "./hook-guard.ts";
import type { NamedHooks } from "./named-hooks.ts";
import { PluginVerdicts } from "./plugin-verdicts.ts";

const NOBODY_AUTHENTICATES: Identity = {
  reasonCode: ReasonCode.NotAuthorized,
  rule: "no plugin authenticates clients: nobody may enter",
};
const NOBODY_VOUCHES: Identity = {
  reasonCode: ReasonCode.NotAuthorized,
  rule: "no plugin has an opinion about these credentials",
};
const NO_RULE: Verdict = { reasonCode: ReasonCode.NotAuthorized, rule: "no rule allows it" };

type Authenticate = (
  client: ClientInfo,
  password: Uint8Array | undefined,
  attempt: Attempt,
) => MaybePromise<boolean | Identity | undefined>;

export function compileAuthenticate(plugins: readonly NamedHooks[], guard: HookGuard): HookChain["authenticate"] {
  const asked: { verdicts: PluginVerdicts; ask: Authenticate }[] = [];
  for (const { name, hooks } of plugins) {
    if (hooks.authenticate === undefined) continue;
    asked.push({
      verdicts: new PluginVerdicts(name, "authenticate", ReasonCode.ServerUnavailable),
      ask: hooks.authenticate.bind(hooks),
    });
  }
  if (asked.length === 0) return () => NOBODY_AUTHENTICATES;

  // All plugins are called even after a refusal: the response time must not show which one refused.
  return (client, password, whenGone) => {
    const answers: (Identity | undefined)[] = [];
    let waiting: Promise<Identity | undefined>[] | undefined;
    for (const { verdicts, ask } of asked) {
      const attempt = new PendingAttempt();
      let answer: MaybePromise<boolean | Identity | undefined>;
      try {
        answer = ask(client, password, attempt);
      } catch (error) {
        guard.failed(verdicts.plugin, verdicts.hook, error);
        answer = verdicts.failure;
      }
      if (isPromise(answer)) {
        waiting ??= [];
        whenGone?.(() => attempt.abandon());
        const settled = guard.settle(answer, verdicts.plugin, verdicts.hook, verdicts.failure, attempt);
        waiting.push(settled.then((late) => verdicts.of(late)));
      } else {
        answers.push(verdicts.of(answer));
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
 * The first user name and the earlier expiry count, and all attributes are merged. Only `anonymous` is different: it
 * stays when every plugin that said yes says so, not when one plugin has checked a password and another admits
 * everybody.
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
  readonly verdicts: PluginVerdicts;
  readonly ask: (client: ClientInfo, action: Action, topic: string) => MaybePromise<Decision>;
}

export function authorizersOf(plugins: readonly NamedHooks[]): readonly Authorizer[] {
  const authorizers: Authorizer[] = [];
  for (const { name, hooks } of plugins) {
    if (hooks.authorize === undefined) continue;
    authorizers.push({
      verdicts: new PluginVerdicts(name, "authorize", ReasonCode.NotAuthorized),
      ask: hooks.authorize.bind(hooks),
    });
  }
  return authorizers;
}

export function askAuthorizer(
  guard: HookGuard,
  { verdicts, ask }: Authorizer,
  client: ClientInfo,
  action: Action,
  topic: string,
): MaybePromise<Decision> {
  try {
    const answer = ask(client, action, topic);
    return isPromise(answer) ? guard.settle(answer, verdicts.plugin, verdicts.hook, verdicts.failure) : answer;
  } catch (error) {
    guard.failed(verdicts.plugin, verdicts.hook, error);
    return verdicts.failure;
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
        waiting.push(signLater(authorizer.verdicts, answer));
        continue;
      }
      const verdict = authorizer.verdicts.of(answer);
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
  const asked: { verdicts: PluginVerdicts; ask: (client: ClientInfo) => MaybePromise<Decision> }[] = [];
  for (const { name, hooks } of plugins) {
    if (hooks.authorizeConnect === undefined) continue;
    asked.push({
      verdicts: new PluginVerdicts(name, "authorizeConnect", ReasonCode.ServerUnavailable),
      ask: hooks.authorizeConnect.bind(hooks),
    });
  }
  if (asked.length === 0) return undefined;
  return (client) => {
    let waiting: Promise<Verdict | undefined>[] | undefined;
    for (const { verdicts, ask } of asked) {
      let answer: MaybePromise<Decision>;
      try {
        answer = ask(client);
      } catch (error) {
        guard.failed(verdicts.plugin, verdicts.hook, error);
        answer = verdicts.failure;
      }
      if (isPromise(answer)) {
        waiting ??= [];
        waiting.push(signLater(verdicts, guard.settle(answer, verdicts.plugin, verdicts.hook, verdicts.failure)));
        continue;
      }
      const verdict = verdicts.of(answer);
      if (verdict !== undefined && !isAllowed(verdict)) return verdict;
    }
    return waiting === undefined ? ALLOWED : judgeLater(waiting, undefined, ALLOWED);
  };
}

function signLater(verdicts: PluginVerdicts, answer: Promise<Decision>): Promise<Verdict | undefined> {
  return answer.then((decision) => verdicts.of(decision));
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
