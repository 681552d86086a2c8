// `wrenmq start`: its options.
import { Command, InvalidArgumentError, Option } from "commander";
import type { ConfigOptions } from "../../broker/effective-config.ts";
import { UsageError } from "../../errors.ts";
import { portNumber } from "../../option-values.ts";
import { outliveHangUps } from "../../signals.ts";

export function startCommand(): Command {
  return new Command("start")
    .description("run the broker")
    .argument("[file...]") // for those who forget -c
    .usage("[options]")
    .option("-c, --config <file>", "configuration in YAML: WrenMQ's own, aMQTT's or hbmqtt's")
    .option("-p, --port <port>", "port to listen on (0: any free one)", portNumber)
    .option("--host <host>", "address to listen on")
    .option("--data <folder>", "keep sessions and retained messages in this folder")
    .option("--data-max <size>", "room that the data may take, such as 10GiB; then publishers are refused")
    .addOption(
      new Option(
        "--durability <level>",
        "batch: survives the end of the process; fsync: survives a power failure",
      ).choices(["memory", "batch", "fsync"]),
    )
    .option("--workers <n>", "processes that share the work; auto: one for each core", workerNumber)
    .option("--no-warm-up", "compile nothing before the first clients come")
    .option("-d, --debug", "log everything that happens")
    .addOption(new Option("--log-format <format>", "default: text on a terminal, else json").choices(["text", "json"]))
    .action(async ([file]: readonly string[], options: ConfigOptions) => {
      if (file !== undefined) throw new UsageError(`the configuration is given with -c: wrenmq start -c ${file}`);
      outliveHangUps();
      const { start } = await import("./start.ts");
      await start(options);
    });
}

/** The same as `MOST_WORKERS` of @wrenmq/workers, which would be too much to load here. */
export const MOST_WORKERS = 64;

function workerNumber(word: string): number | "auto" {
  if (word === "auto") return word;
  const count = Number(word);
  if (/^\d+$/.test(word) && count >= 1 && count <= MOST_WORKERS) return count;
  throw new InvalidArgumentError(`A whole number from 1 to ${MOST_WORKERS}, or auto.`);
}
