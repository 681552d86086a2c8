// A member in this process: runs commands on its broker.
import type { Broker } from "@wrenmq/broker";
import type { Logger } from "@wrenmq/plugin-api";
import { AdminError, asAdminError } from "../admin-error.ts";
import { commandNamed } from "../commands.ts";
import type { AnyCommand, CommandContext } from "../define-command.ts";
import { Histograms } from "../metrics/histograms.ts";
import { ScanGate } from "../scan.ts";
import { internalCommand } from "./internal-commands.ts";
import type { Member, Members } from "./member.ts";

export class LocalMember implements Member {
  readonly name: string = "broker";
  readonly label: undefined = undefined;
  readonly #context: CommandContext;
  readonly #logger: Logger;

  constructor(broker: Broker, logger: Logger) {
    this.#logger = logger;
    this.#context = { broker, histograms: new Histograms(broker), scans: new ScanGate() };
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

  async *stream(name: string, input: unknown, signal: AbortSignal): AsyncIterableIterator<unknown> {
    try {
      const command = known(name);
      if (!command.streams) throw new AdminError("internal", `${name} is no stream`);
      yield* command.run(this.#context, input as Record<string, unknown>, signal);
    } catch (error) {
      throw this.#reported(name, error);
    }
  }

  /** Ends the measurements. */
  close(): void {
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
