// The commands and their options. The implementation of a command is loaded when it is called.
import { Command } from "commander";
import manifest from "../package.json" with { type: "json" };
import { adminStubs, isAdminWord } from "./admin/names.ts";
import { configCommand } from "./commands/config/config-command.ts";
import { credsCommand } from "./commands/creds/creds-command.ts";
import { explainCommand } from "./commands/explain/explain-command.ts";
import { passwdCommand } from "./commands/passwd/passwd-command.ts";
import { pubCommand } from "./commands/pub/pub-command.ts";
import { topicsCommand, usersCommand } from "./commands/sql/sql-command.ts";
import { startCommand } from "./commands/start/start-command.ts";
import { storeCommand } from "./commands/store/store-command.ts";
import { subCommand } from "./commands/sub/sub-command.ts";
import { tokenCommand } from "./commands/token-command.ts";
import { oneLine } from "./errors.ts";

const AFTER_HELP = `
Without a command: start. Without a file the broker listens on localhost:1883 and lets everyone in.
Examples:
  wrenmq                          try it out, on this machine only
  wrenmq start -c wrenmq.yaml     run what a file says (also one of aMQTT or hbmqtt)
  wrenmq start --data ./data      sessions and retained messages survive a restart`;

/** @param word the first argument: commands for a running broker are loaded when one of them is called */
export async function createProgram(word?: string): Promise<Command> {
  const program = new Command("wrenmq")
    .description("The WrenMQ broker and its tools: MQTT 3.1, 3.1.1 and 5.0.")
    .version(manifest.version, "-V, --version")
    .enablePositionalOptions() // options after the name of a command belong to the command: -V is also a version of MQTT
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`wrenmq: ${oneLine(text.replace(/^error: /, ""))}\n`) })
    .addHelpText("after", AFTER_HELP);
  add(program, startCommand(), { isDefault: true });
  const others = [
    pubCommand,
    subCommand,
    passwdCommand,
    tokenCommand,
    configCommand,
    explainCommand,
    storeCommand,
    credsCommand,
    usersCommand,
    topicsCommand,
  ];
  for (const command of others) add(program, command());
  for (const command of await adminOnes(word, program)) add(program, command);
  return program;
}

async function adminOnes(word: string | undefined, program: Command): Promise<Command[]> {
  if (!isAdminWord(word)) return adminStubs();
  const { adminCommands } = await import("./admin/commands.ts");
  const topics = program.commands.find((command) => command.name() === "topics");
  return adminCommands(topics ?? new Command("topics"));
}

/** Settings are inherited only by commands that the program makes itself. */
function add(program: Command, command: Command, options: { isDefault?: boolean } = {}): void {
  const inherit = (parent: Command, child: Command): void => {
    child.copyInheritedSettings(parent);
    for (const each of child.commands) inherit(child, each);
  };
  inherit(program, command);
  command.version(manifest.version, "--version", "output the version number");
  program.addCommand(command, options);
}
