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
import type { Member, MemberName, Members } from "./member.ts";

export class LocalMember implements Member {
  readonly name: string;
  readonly label: string | undefined;
  readonly up: boolean = true;
  readonly #context: CommandContext;
  readonly #logger: Logger;

  /**
   * @param clock for the times of samples
   * @param called if there are others in this process
   */
  constructor(broker: Broker, logger: Logger, clock: Clock, called: MemberName = { name: "broker", label: undefined }) {
    this.#logger = logger;
    this.name = called.name;
    this.label = called.label;
    const samples = new StatsSampler(broker, clock);
    const histograms = new Histograms(broker);
    this.#context = { broker, histograms, scans: new ScanGate(), samples, traces: new Set(), clock };
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

  /**
   * It also ends when the broker stops. What the command does at its beginning is done when this returns.
   * @throws AdminError
   */
  stream(name: string, input: unknown, outer: AbortSignal): AsyncIterable<unknown> {
    const controller = new AbortController();
    const end = (): void => {
      forget();
      outer.removeEventListener("abort", end);
      controller.abort();
    };
    const forget = this.#context.broker.operations.onceStopping(end);
    outer.addEventListener("abort", end, { once: true });
    if (outer.aborted) end();
    try {
      const command = known(name);
      if (!command.streams) throw new AdminError("internal", `${name} is no stream`);
      return this.#untilEnd(command.run(this.#context, input as Record<string, unknown>, controller.signal), name, end);
    } catch (error) {
      end();
      throw this.#reported(name, error);
    }
  }

  async *#untilEnd(lines: AsyncIterable<unknown>, name: string, end: () => void): AsyncIterable<unknown> {
    try {
      yield* lines;
    } catch (error) {
      throw this.#reported(name, error);
    } finally {
      end();
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
