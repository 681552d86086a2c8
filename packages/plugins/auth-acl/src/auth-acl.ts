// Plugin: authorizes clients by lists of topic filters in the options, by a file, or by both (then both must allow).
import { basename } from "node:path";
import { type ClientInfo, type Decision, definePlugin, isAllowed, type Plugin } from "@wrenmq/plugin-api";
import { checkContents, WatchedFile } from "@wrenmq/watched-file";
import { decideByFile } from "./file-decision.ts";
import { parseAclFile } from "./mosquitto-file.ts";
import { type AuthAclOptions, OPTIONS } from "./options.ts";
import { UserLists } from "./user-lists.ts";

export const authAcl: (options: AuthAclOptions) => Plugin = definePlugin({
  name: "auth-acl",
  config: OPTIONS,
  check: ({ config: { file } }) =>
    file === undefined ? [] : checkContents("file", file, (text) => parseAclFile(text, basename(file))),
  async hooks({ config, context }) {
    const { subscribe, publish, receive, file, fileSubscriptions, reloadIntervalSeconds } = config;
    const listed = subscribe ?? publish ?? receive;
    const lists = listed === undefined ? undefined : new UserLists({ subscribe, publish, receive });
    const watched =
      file === undefined
        ? undefined
        : await WatchedFile.open({
            file,
            parse: (content) => parseAclFile(content, basename(file)),
            context,
            interval: reloadIntervalSeconds * 1000,
            changed: () => context.rulesChanged(),
          });
    return {
      authorize(client, action, topic): Decision {
        const username = userOf(client);
        const byList = lists?.decide(username ?? "anonymous", action, topic);
        if (watched === undefined || (byList !== undefined && !isAllowed(byList))) return byList;
        return decideByFile(watched.value, { username, clientId: client.clientId }, action, topic, fileSubscriptions);
      },
    };
  },
});

/** The user name, unless nobody has verified it: otherwise anybody could claim the rights of any user. */
function userOf({ username, attributes }: ClientInfo): string | undefined {
  return username === "" || attributes["anonymous"] === true ? undefined : username;
}
