// User name and password against a file, which is read again when it changes.
import { HashQueueFullError, type VerifyInTurn } from "@wrenmq/password-hash";
import {
  type Attempt,
  type ClientInfo,
  definePlugin,
  type Hooks,
  type Identity,
  networkOf,
  type Plugin,
  type PluginContext,
} from "@wrenmq/plugin-api";
import { WatchedFile } from "@wrenmq/watched-file";
import { type AuthPasswordOptions, OPTIONS } from "./options.ts";
import { type PasswordFile, parsePasswordFile } from "./password-file.ts";
import { Verifier } from "./verifier.ts";

const NO_PASSWORD = new Uint8Array();
const NOT_AUTHORIZED = 0x87;
const SERVER_BUSY = 0x89;

export const authPassword: (options: AuthPasswordOptions) => Plugin = definePlugin({
  name: "auth-password",
  config: OPTIONS,
  hooks: ({ config, context }) => passwordHooks(config, context),
});

export async function passwordHooks(
  { file: passwordFile, rememberSeconds, reloadInterval }: Required<AuthPasswordOptions>,
  context: PluginContext,
  verify?: VerifyInTurn,
): Promise<Hooks> {
  /** The attribute that keeps whom a client logged in as; of this instance alone. */
  const attribute = `auth-password:${context.name}`;
  const watched = await WatchedFile.open({
    file: passwordFile,
    parse: parsePasswordFile,
    context,
    interval: reloadInterval * 1000,
    changed(file, previous) {
      warnOfMistakes(context, passwordFile, file);
      disconnectOutdated(context, attribute, file, previous);
    },
  });
  warnOfMistakes(context, passwordFile, watched.value);
  const verifier = new Verifier(() => watched.value, {
    remember: rememberSeconds * 1000,
    ...(verify === undefined ? {} : { verify }),
  });

  async function check(
    username: string,
    client: ClientInfo,
    password: Uint8Array,
    attempt: Attempt,
  ): Promise<Identity> {
    try {
      const turn = { share: networkOf(client.remoteAddress) ?? "", attempt };
      const entry = await verifier.check(username, password, turn);
      if (entry === undefined)
        return { reasonCode: NOT_AUTHORIZED, rule: `${passwordFile}: no such user and password` };
      const rule = `${passwordFile}:${entry.line}`;
      return { reasonCode: 0, rule, username, attributes: { [attribute]: username } };
    } catch (error) {
      if (error instanceof HashQueueFullError) return { reasonCode: SERVER_BUSY, rule: error.message };
      throw error;
    }
  }

  return {
    authenticate(client, password, attempt) {
      const { username } = client;
      if (username === undefined || username === "") return undefined;
      return check(username, client, password ?? NO_PASSWORD, attempt);
    },
  };
}

function warnOfMistakes({ logger }: PluginContext, file: string, { mistakes }: PasswordFile): void {
  for (const { line, message } of mistakes) logger.warn({ file, line }, `password file, line ${line}: ${message}`);
}

/** Whoever logged in with an entry that is gone or has another password now must log in again. */
function disconnectOutdated(
  context: PluginContext,
  attribute: string,
  file: PasswordFile,
  previous: PasswordFile,
): void {
  const outdated = ({ attributes }: ClientInfo): boolean => {
    const username = attributes[attribute];
    return typeof username === "string" && file.entries.get(username)?.hash !== previous.entries.get(username)?.hash;
  };
  for (const client of [...context.clients()].filter(outdated)) {
    context.disconnect(client.clientId, NOT_AUTHORIZED, "The password has changed");
  }
}
