// A member in this process: runs commands on its broker.
import type { Broker, Clock } from "@wrenmq/broker";
import type { Logger } from "@wrenmq/plugin-api";
import { AdminError, asAdminError } from "../admin-error.ts";
import { commandNamed } from "../commands.ts";
import type { AnyCommand, CommandContext } from "../define-command.ts";
import { Histograms } from "../metrics/histograms.ts";
import { StatsSampler } from "../metrics/stats-sampler.ts";
import { ScanGate } from "../scan.ts";
import { internalCommand } from "./internal-commands.ts";
import type { Member, Members } from "./member.ts";

export class LocalMember implements Member {
  readonly name: string = "broker";
  readonly label: undefined = undefined;
  readonly up: boolean = true;
  readonly #context: CommandContext;
  readonly #logger: Logger;

  /** @param clock for the times of samples */
  constructor(broker: Broker, logger: Logger, clock: Clock) {
    this.#logger = logger;
    const samples = new StatsSampler(broker, clock);
    this.#context = { broker, histograms: new Histograms(broker), scans: new ScanGate(), samples };
  }

  async ask(name: string, input: unknown): Promise<unknown> {
    try {
      const internal = internalCommand(name);
      if (internal !== undefined) return await internal(this.#context, input);
      const command = known(name);
      if (command.streams) throw new AdminError("internal", `${name} is a stream`);
      return await command.run(this.#context, input as Record<string, unknown>);
    } catch (error) {
      throw this.#reported(name, error);
    }
  }

  /** It also ends when the broker stops. */
  async *stream(name: string, input: unknown, outer: AbortSignal): AsyncIterableIterator<unknown> {
    const end = new AbortController();
    const abort = (): void => end.abort();
    const forget = this.#context.broker.operations.onceStopping(abort);
    if (outer.aborted) abort();
    outer.addEventListener("abort", abort, { once: true });
    try {
      const command = known(name);
      if (!command.streams) throw new AdminError("internal", `${name} is no stream`);
      yield* command.run(this.#context, input as Record<string, unknown>, end.signal);
    } catch (error) {
      throw this.#reported(name, error);
    } finally {
      forget();
      outer.removeEventListener("abort", abort);
    }
  }

  /** Ends the measurements. */
  close(): void {
    this.#context.samples.close();
    this.#context.histograms.close();
  }

  #reported(command: string, error: unknown): AdminError {
    const reported = asAdminError(error);
    if (reported.code === "internal") this.#logger.error({ err: error, command }, "a command failed");
    return reported;
  }
}

/** One broker alone. */
export function onlyMember(member: Member): Members {
  return { all: [member], homeOf: () => member, onBack: () => {} };
}

function known(name: string): AnyCommand {
  const command = commandNamed(name);
  if (command === undefined) throw new AdminError("not_found", `there is no command ${name}`);
  return command;
}
