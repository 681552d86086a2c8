// Plugin: SCRAM-SHA-256 as an authentication method of MQTT 5.0 (section 4.12). The password is never sent, and what
// the server stores is not enough to log in.
import { randomBytes } from "node:crypto";
import { definePlugin, type Plugin } from "@wrenmq/plugin-api";
import { checkContents, WatchedFile } from "@wrenmq/watched-file";
import { DEFAULT_ITERATIONS, hmac, parseScramFile, type ScramCredentials } from "./credentials.ts";
import { scramFileAdvice } from "./file-advice.ts";
import { type AuthScramOptions, OPTIONS } from "./options.ts";
import { ScramExchange, type ScramUsers } from "./scram-exchange.ts";

export const authScram: (options: AuthScramOptions) => Plugin = definePlugin({
  name: "auth-scram",
  config: OPTIONS,
  check: ({ config: { file } }) => checkContents("file", file, parseScramFile, scramFileAdvice),
  async hooks({ config: { file, reloadIntervalSeconds }, context }) {
    const watched = await WatchedFile.open({
      file,
      parse: parseScramFile,
      context,
      interval: reloadIntervalSeconds * 1000,
    });
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

/** Credentials for an unknown user, with the iterations and the salt length of a known one. */
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
