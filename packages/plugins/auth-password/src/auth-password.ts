// Plugin: user names and passwords from a file, which is read again when it changes.
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
  ReasonCode,
} from "@wrenmq/plugin-api";
import { checkContents, WatchedFile } from "@wrenmq/watched-file";
import { passwordFileAdvice } from "./file-advice.ts";
import { type AuthPasswordOptions, OPTIONS } from "./options.ts";
import { type PasswordFile, parsePasswordFile } from "./password-file.ts";
import { Verifier } from "./verifier.ts";

const NO_PASSWORD = new Uint8Array();

export const authPassword: (options: AuthPasswordOptions) => Plugin = definePlugin({
  name: "auth-password",
  config: OPTIONS,
  check: ({ config: { file } }) =>
    checkContents("file", file, parsePasswordFile, (found) => [
      ...found.mistakes.map(({ line, message }) => `line ${line}: ${message}`),
      ...passwordFileAdvice(found),
    ]),
  hooks: ({ config, context }) => passwordHooks(config, context),
});

export async function passwordHooks(
  { file: passwordFile, rememberSeconds, reloadIntervalSeconds }: Required<AuthPasswordOptions>,
  context: PluginContext,
  verify?: VerifyInTurn,
): Promise<Hooks> {
  /** The attribute with the user as whom a client logged in, of this instance only. */
  const attribute = `auth-password:${context.name}`;
  const watched = await WatchedFile.open({
    file: passwordFile,
    parse: parsePasswordFile,
    context,
    interval: reloadIntervalSeconds * 1000,
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
        return { reasonCode: ReasonCode.NotAuthorized, rule: `${passwordFile}: no such user and password` };
      const rule = `${passwordFile}:${entry.line}`;
      return { reasonCode: ReasonCode.Success, rule, username, attributes: { [attribute]: username } };
    } catch (error) {
      if (error instanceof HashQueueFullError) return { reasonCode: ReasonCode.ServerBusy, rule: error.message };
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

/** Disconnects clients whose entry was removed or has another password now. */
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
    context.disconnect(client.clientId, ReasonCode.NotAuthorized, "The password has changed");
  }
}
