// Runs the commands of the table on one broker: checks the input, runs the command, and logs one line with the caller
// for each command that changes something, and for each stream of payloads.
import { type Broker, type Clock, systemClock } from "@wrenmq/broker";
import type { Logger } from "@wrenmq/plugin-api";
import type { z } from "zod";
import { AdminError } from "./admin-error.ts";
import { COMMANDS, type CommandName, type Commands } from "./commands.ts";
import type { AnyCommand, Command, CommandContext, StreamCommand } from "./define-command.ts";
import { Histograms } from "./metrics/histograms.ts";
import { StatsSampler } from "./metrics/stats-sampler.ts";
import { ScanGate } from "./scan.ts";
import { OpenStreams } from "./streams/open-streams.ts";

export interface AdminOptions {
  readonly broker: Broker;
  /** Gets one line for each command that changes something, and for each stream of payloads. */
  readonly logger: Logger;
  readonly reload?: CommandContext["reload"];
  /** For the times of `stats.watch` and `trace.run`. Default: the system's. */
  readonly clock?: Clock;
}

/** The caller, for the log: `token 8fj2… of ada`, `local socket`. */
export interface Caller {
  readonly who: string;
  readonly address?: string;
}

type InputOf<Name extends CommandName> = z.input<Commands[Name]["input"]>;
type AnswerOf<One> =
  One extends StreamCommand<infer _I, infer Output>
    ? AsyncIterable<z.output<Output>>
    : One extends Command<infer _I, infer Output>
      ? z.output<Output>
      : never;

const EMBEDDER: Caller = { who: "the embedding program" };
/** Fields that are never logged. */
const NOT_LOGGED: ReadonlySet<string> = new Set(["payload"]);
const LONGEST_LOGGED = 200;

export class Admin {
  readonly broker: Broker;
  readonly histograms: Histograms;
  readonly #context: CommandContext;
  readonly #logger: Logger;
  readonly #samples: StatsSampler;
  readonly #streams: OpenStreams;

  constructor({ broker, logger, reload, clock = systemClock }: AdminOptions) {
    this.broker = broker;
    this.histograms = new Histograms(broker);
    this.#logger = logger;
    this.#samples = new StatsSampler(broker, clock);
    this.#streams = new OpenStreams(broker);
    this.#context = {
      broker,
      histograms: this.histograms,
      scans: new ScanGate(),
      samples: this.#samples,
      clock,
      reload,
    };
  }

  /** Ends the measurements and the streams. */
  close(): void {
    this.#streams.endAll();
    this.#samples.close();
    this.histograms.close();
  }

  /**
   * Runs a command. The result of a stream is an async iterable, to be read to its end or left with `break`.
   * @param signal ends a stream; it also ends when the broker stops
   * @throws AdminError
   */
  async call<Name extends CommandName>(
    name: Name,
    input: InputOf<Name>,
    caller: Caller = EMBEDDER,
    signal?: AbortSignal,
  ): Promise<AnswerOf<Commands[Name]>> {
    const command = COMMANDS[name] as unknown as AnyCommand;
    return (await this.run(command, input, caller, signal)) as AnswerOf<Commands[Name]>;
  }

  /**
   * Runs a command that is known only at run time.
   * @throws AdminError
   */
  async run(command: AnyCommand, input: unknown, caller: Caller, signal?: AbortSignal): Promise<unknown> {
    const parsed = command.input.safeParse(input);
    if (!parsed.success) throw invalidInput(parsed.error);
    try {
      const answer: unknown = command.streams
        ? this.#streams.open((until) => command.run(this.#context, parsed.data, until), signal)
        : await command.run(this.#context, parsed.data);
      if (isAudited(command)) this.#audit(command, parsed.data, caller, "done");
      return answer;
    } catch (error) {
      const known = asAdminError(error);
      if (known.code === "internal") this.#logger.error({ err: error, command: command.name }, "a command failed");
      if (isAudited(command)) this.#audit(command, parsed.data, caller, known.code);
      throw known;
    }
  }

  #audit(
    command: AnyCommand,
    input: Readonly<Record<string, unknown>>,
    { who, address }: Caller,
    outcome: string,
  ): void {
    const shown = Object.entries(input).flatMap(([key, value]) => {
      if (NOT_LOGGED.has(key) || value === undefined) return [];
      return [[key, typeof value === "string" ? value.slice(0, LONGEST_LOGGED) : value]];
    });
    this.#logger.info(
      { command: command.name, who, address, outcome, input: Object.fromEntries(shown) as object },
      "administrative command",
    );
  }
}

export function createAdmin(options: AdminOptions): Admin {
  return new Admin(options);
}

/** What changes something, and streams of payloads. */
function isAudited({ kind, role, streams }: AnyCommand): boolean {
  return kind !== "read" || (streams && role !== "read");
}

export function invalidInput(error: z.ZodError): AdminError {
  const [first] = error.issues;
  if (first === undefined) return new AdminError("invalid_input", "the input is wrong");
  const unknown = first.code === "unrecognized_keys" ? first.keys[0] : undefined;
  const field = [...first.path.map(String), ...(unknown === undefined ? [] : [unknown])].join(".");
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : "";
  const expected = unknown === undefined ? first.message : "no such field";
  return new AdminError("invalid_input", `${field === "" ? "the input" : field}: ${expected}${more}`, {
    field,
    expected,
  });
}

function asAdminError(error: unknown): AdminError {
  if (error instanceof AdminError) return error;
  if (error instanceof Error && "code" in error) {
    if (error.code === "ERR_TOPIC_INVALID") return new AdminError("invalid_input", error.message, { field: "topic" });
    if (error.code === "ERR_BROKER_STATE") return new AdminError("unavailable", error.message, { cause: error });
    if (error.code === "ERR_CONFIG") return new AdminError("conflict", error.message, { cause: error });
  }
  return new AdminError("internal", "the command failed: the log has the reason", { cause: error });
}
