// Options that select a running broker.
import type { AdminClient } from "@wrenmq/admin/client";
import { type Command, Option } from "commander";

export interface TargetWords {
  readonly socket?: string;
  readonly data?: string;
  readonly url?: string;
  readonly json?: boolean;
}

/**
 * Adds the options that all commands for a running broker have. The token comes from the environment only: arguments
 * are visible to other users.
 */
export function withTarget(command: Command): Command {
  return command
    .addOption(new Option("--socket <path>", "the broker's Unix socket").env("WRENMQ_SOCKET"))
    .option("--data <folder>", "the broker that keeps its data there; without it: the only one of this user that runs")
    .addOption(
      new Option("--url <url>", "its admin API, such as https://host:18080; the token is in WRENMQ_ADMIN_TOKEN").env(
        "WRENMQ_ADMIN_URL",
      ),
    )
    .option("--json", "print JSON");
}

/** @throws RemoteProblem */
export async function clientOf({ socket, data, url }: TargetWords): Promise<AdminClient> {
  const { AdminClient: Client, findTarget } = await import("@wrenmq/admin/client");
  return new Client(await findTarget({ socket, data, url, token: process.env["WRENMQ_ADMIN_TOKEN"] }));
}
