// `wrenmq token create|list|revoke`: edits the file of the token plugin.
import { Command, InvalidArgumentError, Option } from "commander";
import { atFile } from "../at-file.ts";
import { collect } from "../option-values.ts";

export interface TokenOptions {
  readonly expires?: Date;
  readonly note?: string;
  readonly role?: "read" | "operate" | "admin";
  readonly publish?: readonly string[];
  readonly subscribe?: readonly string[];
  readonly receive?: readonly string[];
}

export function tokenCommand(): Command {
  const token = new Command("token").description("tokens that clients send as their password");
  token
    .command("create")
    .description("make a token and print it; it cannot be had again")
    .argument("<file>", "token file; it is made if it is not there")
    .argument("<user>", "user name of the client that has it")
    .option("--expires <date>", "when it ends, such as 2030-01-31", date)
    .option("--note <text>", "what it is for")
    .addOption(
      new Option("--role <role>", "for the admin API instead of MQTT: what it may do").choices([
        "read",
        "operate",
        "admin",
      ]),
    )
    .option("--publish <filter>", "may publish to this; may be repeated", collect)
    .option("--subscribe <filter>", "may subscribe to this; may be repeated", collect)
    .option("--receive <filter>", "may be sent this; may be repeated", collect)
    .action(async (file: string, user: string, options: TokenOptions) => {
      const { createToken } = await import("@wrenmq/auth-token");
      const made = await atFile(file, () => createToken(file, { user, ...options }));
      process.stderr.write(`identifier: ${made.id}\n`);
      process.stdout.write(`${made.token}\n`);
    });
  token
    .command("list")
    .description("print identifier, user and end of each token")
    .argument("<file>")
    .action(async (file: string) => {
      const { listTokens } = await import("@wrenmq/auth-token");
      for (const { id, user, expires, note } of await atFile(file, () => listTokens(file))) {
        process.stdout.write(`${[id, user, expires ?? "never", note ?? ""].map(String).join("\t").trimEnd()}\n`);
      }
    });
  token
    .command("revoke")
    .description("end a token; who is connected with it is disconnected")
    .argument("<file>")
    .argument("<id>", "identifier of the token")
    .action(async (file: string, id: string) => {
      const { revokeToken } = await import("@wrenmq/auth-token");
      await atFile(file, () => revokeToken(file, id));
    });
  return token;
}

function date(word: string): Date {
  const found = new Date(word);
  if (Number.isNaN(found.getTime())) throw new InvalidArgumentError("Expected a date such as 2030-01-31.");
  return found;
}
