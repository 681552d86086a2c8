// Plugin: a revocable token as password identifies the client, until the token expires, and grants topics.
import { timingSafeEqual } from "node:crypto";
import {
  type ClientInfo,
  type Decision,
  definePlugin,
  type Identity,
  type Plugin,
  type PluginContext,
  type PluginProblem,
  ReasonCode,
} from "@wrenmq/plugin-api";
import { decideByGrants } from "@wrenmq/plugin-api/grants";
import { checkContents, WatchedFile } from "@wrenmq/watched-file";
import { type AuthTokenOptions, OPTIONS } from "./options.ts";
import { digestOf, idOfToken, parseTokenFile, type StoredToken } from "./token-file.ts";

const NO_DIGEST = Buffer.alloc(32);
const no = (rule: string): Identity => ({ reasonCode: ReasonCode.NotAuthorized, rule });

export const authToken: (options: AuthTokenOptions) => Plugin = definePlugin({
  name: "auth-token",
  config: OPTIONS,
  check: ({ config: { file } }) => checkTokenFile("file", file),
  async hooks({ config: { file, authorize, reloadIntervalSeconds }, context }) {
    /** The attribute with the identifier of a client's token, of this instance only. */
    const attribute = `auth-token:${context.name}`;
    const watched = await WatchedFile.open({
      file,
      parse: parseTokenFile,
      context,
      interval: reloadIntervalSeconds * 1000,
      changed(tokens) {
        disconnectRevoked(context, attribute, tokens);
        context.rulesChanged();
      },
    });
    return {
      authenticate({ username }, password) {
        if (password === undefined) return undefined;
        const token = new TextDecoder().decode(password);
        const id = idOfToken(token);
        if (id === undefined) return undefined; // a password for another plugin
        const identity = identityOf(watched.value.get(id), token, username);
        return identity.reasonCode === 0 ? { ...identity, attributes: { [attribute]: id } } : identity;
      },
      ...(authorize && {
        authorize({ attributes }, action, topic): Decision {
          const id = attributes[attribute];
          if (typeof id !== "string") return undefined;
          const stored = watched.value.get(id);
          return stored === undefined
            ? no(`token ${id} was revoked`)
            : decideByGrants(stored, action, topic, `token ${id}`);
        },
      }),
    };
  },
});

/**
 * Checks a file of tokens.
 * @param option the option that names it
 */
export const checkTokenFile = (option: string, file: string): Promise<PluginProblem[]> =>
  checkContents(option, file, parseTokenFile);

function identityOf(stored: StoredToken | undefined, token: string, username: string | undefined): Identity {
  const expected = stored === undefined ? NO_DIGEST : Buffer.from(stored.sha256, "hex");
  const right = timingSafeEqual(digestOf(token), expected);
  if (stored === undefined || !right) return no("no such token");
  const { id, user, expires, role } = stored;
  if (role !== undefined) return no(`token ${id} is one for the admin API`);
  const expiresAt = expires === undefined ? undefined : Date.parse(expires);
  if (expiresAt !== undefined && expiresAt <= Date.now()) return no(`token ${id} has expired`);
  if (username !== undefined && username !== "" && username !== user) return no(`token ${id} is of another user`);
  return { reasonCode: ReasonCode.Success, rule: `token ${id}`, username: user, expiresAt };
}

function disconnectRevoked(context: PluginContext, attribute: string, tokens: ReadonlyMap<string, StoredToken>): void {
  const revoked = ({ attributes }: ClientInfo): boolean => {
    const id = attributes[attribute];
    return typeof id === "string" && !tokens.has(id);
  };
  for (const { clientId } of [...context.clients()].filter(revoked)) {
    context.disconnect(clientId, ReasonCode.NotAuthorized, "The token was revoked");
  }
}
