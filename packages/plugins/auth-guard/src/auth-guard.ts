// Plugin: slows down the guessing of passwords, then bans for a while: each failure of an address or a user delays its
// next attempt longer, and too many ban it. It acts before passwords are verified, so guessing costs no hashing either.
import {
  type ClientInfo,
  definePlugin,
  networkOf,
  type Plugin,
  type PluginContext,
  ReasonCode,
  type Verdict,
} from "@wrenmq/plugin-api";
import { FailureLog } from "./failure-log.ts";
import { type AuthGuardOptions, OPTIONS } from "./options.ts";

/** Reason codes of failures of the client: Bad User Name or Password, Not authorized, Bad authentication method. */
const FAILURES: ReadonlySet<number> = new Set([
  ReasonCode.BadUserNameOrPassword,
  ReasonCode.NotAuthorized,
  ReasonCode.BadAuthenticationMethod,
]);

export const authGuard: (options?: AuthGuardOptions) => Plugin = definePlugin({
  name: "auth-guard",
  config: OPTIONS,
  hooks({ config, context }) {
    const times = { window: config.windowSeconds * 1000, ban: config.banSeconds * 1000 };
    const addresses = new FailureLog({ banAfter: config.banAddressAfter, ...times });
    const users = new FailureLog({ banAfter: config.banUserAfter, ...times });
    let waiting = 0;

    function delayOf(failures: number): number {
      const counted = failures - config.freeFailures;
      if (counted <= 0 || config.delay === 0) return 0;
      return Math.min(config.maxDelay, config.delay * 2 ** (counted - 1));
    }

    function wait(delay: number): Verdict | Promise<undefined> {
      if (waiting >= config.maxWaiting)
        return { reasonCode: ReasonCode.ServerBusy, rule: "too many clients are kept waiting" };
      waiting++;
      return new Promise((resolve) => {
        context.setTimeout(() => {
          waiting--;
          resolve(undefined);
        }, delay);
      });
    }

    return {
      connect({ remoteAddress }, { username }) {
        const now = Date.now();
        const network = networkOf(remoteAddress);
        if (network !== undefined && addresses.isBanned(network, now)) {
          return { reasonCode: ReasonCode.Banned, rule: `address ${network} is banned for a while` };
        }
        if (username !== undefined && users.isBanned(username, now)) {
          return { reasonCode: ReasonCode.Banned, rule: `user "${username}" is banned for a while` };
        }
        const delay = Math.max(
          network === undefined ? 0 : delayOf(addresses.failures(network, now)),
          username === undefined ? 0 : delayOf(users.failures(username, now)),
        );
        return delay === 0 ? undefined : wait(delay);
      },
      refused(client, { reasonCode }) {
        if (FAILURES.has(reasonCode)) count(client, addresses, users, context);
      },
      connected({ username }) {
        // Not the address: an attacker with one valid account could reset the count between guesses.
        if (username !== undefined) users.forget(username);
      },
    };
  },
});

function count(
  { remoteAddress, username }: ClientInfo,
  addresses: FailureLog,
  users: FailureLog,
  { logger }: PluginContext,
): void {
  const now = Date.now();
  const network = networkOf(remoteAddress);
  if (network !== undefined && addresses.fail(network, now)) {
    logger.warn({ address: network }, "address banned for a while: too many failed attempts");
  }
  if (username !== undefined && users.fail(username, now)) {
    logger.warn({ username }, "user banned for a while: too many failed attempts");
  }
}
