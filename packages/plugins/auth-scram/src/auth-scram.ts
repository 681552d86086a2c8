// SCRAM-SHA-256 as an authentication method of MQTT 5.0 (section 4.12): the password never crosses the wire, and what
// the server keeps is not enough to log in with.
import { randomBytes } from "node:crypto";
import { definePlugin, type Plugin } from "@wrenmq/plugin-api";
import { WatchedFile } from "@wrenmq/watched-file";
import { DEFAULT_ITERATIONS, hmac, parseScramFile, type ScramCredentials } from "./credentials.ts";
import { type AuthScramOptions, OPTIONS } from "./options.ts";
import { ScramExchange, type ScramUsers } from "./scram-exchange.ts";

export const authScram: (options: AuthScramOptions) => Plugin = definePlugin({
  name: "auth-scram",
  config: OPTIONS,
  async hooks({ config: { file, reloadInterval }, context }) {
    const watched = await WatchedFile.open({ file, parse: parseScramFile, context, interval: reloadInterval * 1000 });
    const secret = randomBytes(32);
    const users: ScramUsers = {
      find: (username) => watched.value.get(username),
      decoy: (username) => decoyOf(username, secret, watched.value),
    };
    return {
      authenticationMethods: { "SCRAM-SHA-256": (client) => new ScramExchange(users, client.username) },
    };
  },
});

/** Iterations and length of the salt as those of a real user. */
function decoyOf(username: string, secret: Uint8Array, users: ReadonlyMap<string, ScramCredentials>): ScramCredentials {
  const [model] = users.values();
  const bytes = (what: string) => hmac(secret, `${what} ${username}`);
  return {
    iterations: model?.iterations ?? DEFAULT_ITERATIONS,
    salt: bytes("salt").subarray(0, Math.min(32, model?.salt.length ?? 16)),
    storedKey: bytes("stored key"),
    serverKey: bytes("server key"),
  };
}
