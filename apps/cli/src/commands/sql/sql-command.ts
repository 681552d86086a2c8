// `wrenmq users` and `wrenmq topics`: aMQTT's manage_users and manage_topics.
import { Command, InvalidArgumentError, Option } from "commander";
import { portNumber } from "../../option-values.ts";

export function usersCommand(): Command {
  const users = databaseCommand("users", "users of the database that the sql plugin asks");
  const load = () => import("./sql.ts");
  users
    .command("sync")
    .description("make the tables that are missing")
    .action(async (_options: unknown, command: Command) => (await load()).sync(command.optsWithGlobals()));
  users
    .command("list")
    .description("print the users")
    .action(async (_options: unknown, command: Command) => (await load()).listUsers(command.optsWithGlobals()));
  client(users.command("add").description("add a user; the password is asked for")).action(
    async (_options: unknown, command: Command) => (await load()).addUser(command.optsWithGlobals()),
  );
  client(users.command("rm").description("remove a user and its topics"))
    .option("-y, --yes", "do not ask")
    .action(async (_options: unknown, command: Command) => (await load()).removeUser(command.optsWithGlobals()));
  client(users.command("pwd").description("change a password; it is asked for")).action(
    async (_options: unknown, command: Command) => (await load()).setPassword(command.optsWithGlobals()),
  );
  return users;
}

export function topicsCommand(): Command {
  const topics = databaseCommand("topics", "topics of users in the database that the sql plugin asks");
  const load = () => import("./sql.ts");
  topics
    .command("sync")
    .description("make the tables that are missing")
    .action(async (_options: unknown, command: Command) => (await load()).sync(command.optsWithGlobals()));
  topics
    .command("list")
    .description("print every user's topics")
    .action(async (_options: unknown, command: Command) => (await load()).listTopics(command.optsWithGlobals()));
  for (const [name, description] of [
    ["add", "let a user use a topic"],
    ["rm", "let a user no longer use a topic"],
  ] as const) {
    client(topics.command(name).description(description))
      .argument("<topic>", "topic filter")
      .addOption(
        new Option("-a, --action <action>", "what for")
          .choices(["subscribe", "publish", "receive"])
          .makeOptionMandatory(),
      )
      .action(async (topic: string, _options: unknown, command: Command) =>
        (await load()).changeTopic(name, topic, command.optsWithGlobals()),
      );
  }
  return topics;
}

function client(command: Command): Command {
  return command.requiredOption("-c, --client-id <user>", "user name", (word: string) => {
    if (word === "") throw new InvalidArgumentError("It must not be empty.");
    return word;
  });
}

function databaseCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .helpOption("--help", "display help for command")
    .option(
      "--connection <url>",
      "the plugin's connection, such as sqlite:///auth.db or postgresql://user:password@host/db",
    )
    .addOption(
      new Option("-d, --db <kind>", "kind of database, instead of --connection").choices([
        "mysql",
        "mariadb",
        "postgresql",
        "sqlite",
      ]),
    )
    .option("-u, --username <name>", "user of the database; the password is asked for")
    .option("-p, --port <port>", "its port", portNumber)
    .option("-h, --host <host>", "its host", "localhost")
    .option("--database <name>", "its name", "mqtt")
    .option("-f, --file <file>", "file of an SQLite database", "auth.db");
}
