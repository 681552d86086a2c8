// Plugin: users, passwords and topic filters from an LDAP directory.
import { X509Certificate } from "node:crypto";
import {
  type Action,
  type ClientInfo,
  type Decision,
  definePlugin,
  type Identity,
  type Plugin,
  PluginError,
  ReasonCode,
} from "@wrenmq/plugin-api";
import { decideByGrants, type TopicGrants } from "@wrenmq/plugin-api/grants";
import { checkContents, readContents, reasonWith } from "@wrenmq/watched-file";
import { Directory } from "./directory.ts";
import { type AuthLdapOptions, OPTIONS } from "./options.ts";

const MAX_KEPT = 10_000;
const no = (rule: string): Identity => ({ reasonCode: ReasonCode.NotAuthorized, rule });

export const authLdap: (options: AuthLdapOptions) => Plugin = definePlugin({
  name: "auth-ldap",
  config: OPTIONS,
  check: ({ config: { caFile } }) => (caFile === undefined ? [] : checkContents("caFile", caFile, authoritiesIn)),
  async hooks({ config, context }) {
    const ofAction: Readonly<Record<Action, string | undefined>> = {
      publish: config.publishAttribute,
      subscribe: config.subscribeAttribute,
      receive: config.receiveAttribute,
    };
    const attributes = Object.values(ofAction).filter((one) => one !== undefined);
    const ca = config.caFile === undefined ? undefined : await certificate(config.caFile, context.name);
    const directory = new Directory({ ...config, attributes, tlsOptions: ca === undefined ? undefined : { ca } });
    const kept = new Map<string, { readonly grants: Promise<TopicGrants | undefined>; readonly end: number }>();

    async function authenticate(
      { username }: ClientInfo,
      password: Uint8Array | undefined,
    ): Promise<Identity | undefined> {
      if (username === undefined || username === "") return undefined;
      if (password === undefined || password.length === 0) return no("a password is needed");
      const user = await directory.find(username);
      const right = await directory.verify(user, new TextDecoder().decode(password));
      if (user === undefined || !right) return no(`${config.baseDn}: no such user and password`);
      return { reasonCode: ReasonCode.Success, rule: user.dn, username: user.name };
    }

    async function read(username: string): Promise<TopicGrants | undefined> {
      const user = await directory.find(username);
      if (user === undefined) return undefined;
      const filters = (action: Action) => (ofAction[action] === undefined ? undefined : user.values(ofAction[action]));
      return { publish: filters("publish"), subscribe: filters("subscribe"), receive: filters("receive") };
    }

    /** Shares one search among the many requests of a client that connects. */
    function grantsOf(username: string): Promise<TopicGrants | undefined> {
      const now = Date.now();
      const known = kept.get(username);
      if (known !== undefined && known.end > now) return known.grants;
      const grants = read(username);
      kept.delete(username);
      kept.set(username, { grants, end: now + config.cacheSeconds * 1000 });
      grants.catch(() => kept.delete(username));
      for (const [name, { end }] of kept) {
        if (end > now && kept.size <= MAX_KEPT) break;
        kept.delete(name);
      }
      return grants;
    }

    async function authorize({ username }: ClientInfo, action: Action, topic: string): Promise<Decision> {
      if (username === undefined || username === "" || ofAction[action] === undefined) return undefined;
      const grants = await grantsOf(username);
      if (grants === undefined) return no(`${config.baseDn}: no such user`);
      return decideByGrants(grants, action, topic, username);
    }

    if (config.authorize && config.recheckSeconds > 0) {
      context.setInterval(() => context.rulesChanged(), config.recheckSeconds * 1000);
    }
    return {
      ...(config.authenticate && { authenticate }),
      ...(config.authorize && { authorize }),
      close: () => directory.close(),
    };
  },
});

async function certificate(file: string, plugin: string): Promise<string> {
  try {
    return await readContents(file, authoritiesIn);
  } catch (cause) {
    throw new PluginError("ERR_PLUGIN_START", plugin, `caFile: ${reasonWith(cause, file)}`, { cause });
  }
}

const CERTIFICATE = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]+-----END \1-----/g;

/**
 * The text, if all its certificates can be parsed: Node would ignore the others.
 * @throws Error
 */
function authoritiesIn(text: string): string {
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) throw new Error("there is no certificate in it (PEM)");
  for (const [index, certificate] of found.entries()) {
    try {
      new X509Certificate(certificate);
    } catch (cause) {
      throw new Error(`certificate ${index + 1} in it cannot be read`, { cause });
    }
  }
  return text;
}
