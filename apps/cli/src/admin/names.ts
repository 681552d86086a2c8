// The first words of the commands for a running broker, for `--help`: the commands are loaded when one is called. A
// test compares the list with the table.
import { Command } from "commander";

export const ADMIN_WORDS: Readonly<Record<string, string>> = {
  clients: "list the clients that are connected; disconnect those that a filter means",
  client: "show everything about one client",
  kick: "close a client's connection",
  ban: "keep a client, a user or an address out for a time",
  unban: "let it in again",
  bans: "list who is kept out",
  sessions: "list sessions; show or end one",
  subscriptions: "list subscriptions",
  retained: "list, show, export or delete retained messages",
  publish: "publish a message on behalf of the server",
  listeners: "list listeners and the end dates of their certificates",
  cluster: "say how the cluster does, list its members",
  plugins: "list plugins and their hooks",
  messages: "show the messages that pass the broker",
  metrics: "show the broker's counters",
  stats: "show the most important numbers on one page, or at intervals",
  health: "say whether clients may be sent to the broker",
  reload: "let the broker read its configuration again",
  drain: "empty the broker before it stops",
  trace: "record what happens to a client or a topic; print such a file",
  top: "show the numbers and the longest queues again and again",
};

/** Words that have commands for a running broker and others. */
const SHARED: ReadonlySet<string> = new Set(["topics"]);

export function isAdminWord(word: string | undefined): boolean {
  return word !== undefined && (Object.hasOwn(ADMIN_WORDS, word) || SHARED.has(word));
}

/** Commands without implementation, for `--help`. */
export function adminStubs(): Command[] {
  return Object.entries(ADMIN_WORDS).map(([word, summary]) => new Command(word).description(`${summary}`));
}
