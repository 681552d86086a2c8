// User name and password against a file, which is read again when it changes.
import { type ClientInfo, definePlugin, type Identity, type Plugin, type PluginContext } from "@wrenmq/plugin-api";
import { number, options, text } from "@wrenmq/plugin-api/options";
import { WatchedFile } from "@wrenmq/watched-file";
import { type PasswordFile, parsePasswordFile } from "./password-file.ts";
import { Verifier } from "./verifier.ts";

export interface AuthPasswordOptions {
  /** Path of the password file. */
  readonly file: string;
  /** Seconds between two looks whether the file has changed; 0 never looks. Default 2. */
  readonly reloadInterval?: number;
}

const OPTIONS = options({ file: text(), reloadInterval: number({ min: 0, default: 2 }) });

const NO_PASSWORD = new Uint8Array();
const NOT_AUTHORIZED = 0x87;

export const authPassword: (options: AuthPasswordOptions) => Plugin = definePlugin({
  name: "auth-password",
  config: OPTIONS,
  async hooks({ config: { file: passwordFile, reloadInterval }, context }) {
    const verifier = new Verifier();
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
    return {
      authenticate: (client, password) => {
        const { username } = client;
        if (username === undefined || username === "") return undefined;
        return verifier.check(watched.value, username, password ?? NO_PASSWORD).then((entry): Identity => {
          if (entry === undefined)
            return { reasonCode: NOT_AUTHORIZED, rule: `${passwordFile}: no such user and password` };
          return {
            reasonCode: 0,
            rule: `${passwordFile}:${entry.line}`,
            username,
            attributes: { [attribute]: username },
          };
        });
      },
    };
  },
});

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
