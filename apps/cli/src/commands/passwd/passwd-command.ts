// `wrenmq passwd`: users of a password file, or of a file of SCRAM credentials.
import { Command, Option } from "commander";
import type { PasswdOptions } from "./passwd.ts";

export function passwdCommand(): Command {
  return new Command("passwd")
    .description("add a user to a password file, or change the password; without a terminal it is read from stdin")
    .argument("<file>", "password file; it is made if it is not there")
    .argument("[user]", "user name")
    .option("-D, --delete", "remove the user")
    .option("-l, --list", "print the users")
    .addOption(
      new Option("--scheme <scheme>", "how the password is kept")
        .choices(["argon2id", "bcrypt", "mosquitto", "scram-sha-256"])
        .default("argon2id"),
    )
    .action(async (file: string, user: string | undefined, options: PasswdOptions) => {
      const { passwd } = await import("./passwd.ts");
      await passwd(file, user, options);
    });
}
