// A revocable token as password: who the client is, until when, and which topics it may use.
import { timingSafeEqual } from "node:crypto";
import {
  type ClientInfo,
  type Decision,
  definePlugin,
  type Identity,
  type Plugin,
  type PluginContext,
} from "@wrenmq/plugin-api";
import { decideByGrants } from "@wrenmq/plugin-api/grants";
import { WatchedFile } from "@wrenmq/watched-file";
import { type AuthTokenOptions, OPTIONS } from "./options.ts";
import { digestOf, idOfToken, parseTokenFile, type StoredToken } from "./token-file.ts";

const NO_DIGEST = Buffer.alloc(32);
const no = (rule: string): Identity => ({ reasonCode: 0x87, rule });

export const authToken: (options: AuthTokenOptions) => Plugin = definePlugin({
  name: "auth-token",
  config: OPTIONS,
  async hooks({ config: { file, authorize, reloadInterval }, context }) {
    /** The attribute that keeps the identifier of a client's token; of this instance alone. */
    const attribute = `auth-token:${context.name}`;
    const watched = await WatchedFile.open({
      file,
      parse: parseTokenFile,
      context,
      interval: reloadInterval * 1000,
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

function identityOf(stored: StoredToken | undefined, token: string, username: string | undefined): Identity {
  const expected = stored === undefined ? NO_DIGEST : Buffer.from(stored.sha256, "hex");
  const right = timingSafeEqual(digestOf(token), expected);
  if (stored === undefined || !right) return no("no such token");
  const { id, user, expires, role } = stored;
  if (role !== undefined) return no(`token ${id} is one for the admin API`);
  const expiresAt = expires === undefined ? undefined : Date.parse(expires);
  if (expiresAt !== undefined && expiresAt <= Date.now()) return no(`token ${id} has expired`);
  if (username !== undefined && username !== "" && username !== user) return no(`token ${id} is of another user`);
  return { reasonCode: 0, rule: `token ${id}`, username: user, expiresAt };
}

function disconnectRevoked(context: PluginContext, attribute: string, tokens: ReadonlyMap<string, StoredToken>): void {
  const revoked = ({ attributes }: ClientInfo): boolean => {
    const id = attributes[attribute];
    return typeof id === "string" && !tokens.has(id);
  };
  for (const { clientId } of [...context.clients()].filter(revoked)) {
    context.disconnect(clientId, 0x87, "The token was revoked");
  }
}
