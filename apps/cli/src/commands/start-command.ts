// `wrenmq start`: its options.
import { Command, InvalidArgumentError, Option } from "commander";

export interface StartOptions {
  readonly config?: string;
  readonly port?: number;
  readonly host?: string;
  readonly data?: string;
  readonly durability?: "memory" | "batch" | "fsync";
  readonly debug?: boolean;
  readonly logFormat?: "text" | "json";
}

export function startCommand(): Command {
  return new Command("start")
    .description("run the broker")
    .option("-c, --config <file>", "configuration in YAML: WrenMQ's own, aMQTT's or hbmqtt's")
    .option("-p, --port <port>", "port to listen on (0: any free one)", portNumber)
    .option("--host <host>", "address to listen on")
    .option("--data <folder>", "keep sessions and retained messages in this folder")
    .addOption(
      new Option(
        "--durability <level>",
        "batch: survives the end of the process; fsync: survives a power failure",
      ).choices(["memory", "batch", "fsync"]),
    )
    .option("-d, --debug", "log everything that happens")
    .addOption(new Option("--log-format <format>", "default: text on a terminal, else json").choices(["text", "json"]))
    .action(async (options: StartOptions) => {
      const { start } = await import("./start.ts");
      await start(options);
    });
}

export function portNumber(word: string): number {
  const port = Number(word);
  if (/^\d+$/.test(word) && port <= 65_535) return port;
  throw new InvalidArgumentError("A port is a whole number from 0 to 65535.");
}
