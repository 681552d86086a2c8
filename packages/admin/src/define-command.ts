// The type of an administrative command: defined once, used by every interface.
import type { Broker, Clock } from "@wrenmq/broker";
import type { z } from "zod";
import type { Histograms } from "./metrics/histograms.ts";
import type { StatsSampler } from "./metrics/stats-sampler.ts";
import type { ScanGate } from "./scan.ts";

/** read: changes nothing; write: its change can be undone; danger: what it ends or deletes is lost. */
export type CommandKind = "read" | "write" | "danger";

/** Rights of a token: read < operate < admin. */
export type Role = "read" | "operate" | "admin";

/** What commands can use. */
export interface CommandContext {
  readonly broker: Broker;
  readonly histograms: Histograms;
  readonly scans: ScanGate;
  readonly samples: StatsSampler;
  readonly clock: Clock;
  /** Reads the configuration again and applies it; absent where the broker has no configuration file. */
  readonly reload: (() => Promise<{ readonly changed: boolean; readonly needsRestart: readonly string[] }>) | undefined;
}

export interface CommandSpec<Input extends z.ZodObject, Output extends z.ZodType> {
  /** `group.verb`. HTTP: `/api/v1/group.verb`. */
  readonly name: string;
  /** One sentence, for help and documentation. */
  readonly summary: string;
  readonly kind: CommandKind;
  /** The least role that may call it. Default: read for `read`, operate for `write`, admin for `danger`. */
  readonly role?: Role;
  readonly input: Input;
  readonly output: Output;
  /** Words on the command line, and fields that are arguments instead of options there. */
  readonly cli: { readonly words: string; readonly arguments?: readonly (keyof z.input<Input> & string)[] };
}

type MaybePromise<T> = T | Promise<T>;

export interface Command<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodType = z.ZodType>
  extends CommandSpec<Input, Output> {
  readonly role: Role;
  readonly streams: false;
  run(context: CommandContext, input: z.output<Input>): MaybePromise<z.input<Output>>;
}

/** A command whose result may be larger than memory, or has no end: `output` is the schema of one line. */
export interface StreamCommand<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodType = z.ZodType>
  extends CommandSpec<Input, Output> {
  readonly role: Role;
  readonly streams: true;
  /**
   * @param signal aborted when the caller is gone or the broker stops: the lines end then. What is wrong with the input
   * is thrown before the first line.
   */
  run(context: CommandContext, input: z.output<Input>, signal: AbortSignal): AsyncIterable<z.input<Output>>;
}

export type AnyCommand = Command | StreamCommand;

const LEAST: Readonly<Record<CommandKind, Role>> = { read: "read", write: "operate", danger: "admin" };

export function defineCommand<Input extends z.ZodObject, Output extends z.ZodType>(
  spec: CommandSpec<Input, Output> & Pick<Command<Input, Output>, "run">,
): Command<Input, Output> {
  return { ...spec, role: spec.role ?? LEAST[spec.kind], streams: false };
}

export function defineStream<Input extends z.ZodObject, Output extends z.ZodType>(
  spec: CommandSpec<Input, Output> & Pick<StreamCommand<Input, Output>, "run">,
): StreamCommand<Input, Output> {
  return { ...spec, role: spec.role ?? LEAST[spec.kind], streams: true };
}

const RANK: Readonly<Record<Role, number>> = { read: 0, operate: 1, admin: 2 };

export function mayCall(role: Role, command: AnyCommand): boolean {
  return RANK[role] >= RANK[command.role];
}
