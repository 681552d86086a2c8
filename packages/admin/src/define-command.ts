// The type of an administrative command: defined once, used by every interface. A definition also says which members
// (brokers that act as one) are asked, and how their answers become one.
import type { Broker, Clock } from "@wrenmq/broker";
import { z } from "zod";
import type { Histograms } from "./metrics/histograms.ts";
import type { StatsSampler } from "./metrics/stats-sampler.ts";
import type { Recorder } from "./recording/recorder.ts";
import type { ScanGate } from "./scan.ts";

/** read: changes nothing; write: its change can be undone; danger: what it ends or deletes is lost. */
export type CommandKind = "read" | "write" | "danger";

/** Rights of a token: read < operate < admin. */
export type Role = "read" | "operate" | "admin";

/**
 * Who is asked, where several brokers act as one:
 * - `cluster`: all members; their answers are merged
 * - `home`: the member where the client's session lives
 * - `any`: one member, as all know the same, or each can do it for all
 * - `primary`: no member; the process that has the configuration does it
 */
export type Scope = "cluster" | "home" | "any" | "primary";

/** What a member's broker lets commands use. */
export interface CommandContext {
  readonly broker: Broker;
  readonly histograms: Histograms;
  readonly scans: ScanGate;
  readonly samples: StatsSampler;
  /** Those that run. */
  readonly traces: Set<Recorder>;
  readonly clock: Clock;
}

/** What commands of the scope `primary` can use. */
export interface PrimaryContext {
  /**
   * Reads the configuration again and applies it, or only says what would change; absent where there is nothing to
   * read.
   */
  readonly reload: ((how: { readonly dryRun: boolean }) => Promise<ReloadReport>) | undefined;
}

export interface ReloadReport {
  /** Is anything different? */
  readonly changed: boolean;
  /** Sections whose changes wait for a restart. */
  readonly needsRestart: readonly string[];
  /** Default: they are not known. */
  readonly changes?: readonly ReloadChange[];
  /** One line each. Default: none. */
  readonly warnings?: readonly string[];
  /** Path of the configuration. Default: there is no file. */
  readonly source?: string;
  /** Why nothing has changed, in one line: the command is refused with it. Default: it has succeeded. */
  readonly problem?: string;
}

export interface ReloadChange {
  /** Path of the key in the configuration. */
  readonly key: string;
  /** Secrets are masked. Absent: there was none. */
  readonly before?: string;
  readonly after?: string;
  readonly effect: (typeof EFFECTS)[number];
}

/** What a reload does about a key. */
export const EFFECTS = [
  "now",
  "opens",
  "closes",
  "moves",
  "starts",
  "stops",
  "startsAgain",
  "order",
  "restart",
] as const;

/** The members behind the answers that are merged. */
export interface Among {
  /** Those that have answered, in the order of the answers. */
  readonly answered: readonly MemberName[];
  readonly missing: readonly MemberName[];
}

export interface MemberName {
  /** For people: `worker 1`; `broker`, where there is only one. */
  readonly name: string;
  /** For labels: `1`; undefined, where there is only one. */
  readonly label: string | undefined;
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
  /**
   * Milliseconds that a member may take, on top of 5 seconds; after that it is missing from the answer. Default 0.
   */
  patience?(input: z.output<Input>): number;
}

type MaybePromise<T> = T | Promise<T>;

interface Defined<Input extends z.ZodObject, Output extends z.ZodType> extends CommandSpec<Input, Output> {
  readonly role: Role;
  readonly scope: Scope;
  /** Scope `home`: the client identifier. */
  readonly home?: (input: z.output<Input>) => string;
}

export interface Command<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodType = z.ZodType>
  extends Defined<Input, Output> {
  readonly streams: false;
  /** What one member does. Scope `cluster`: its answer is one of those to merge. */
  run(context: CommandContext, input: z.output<Input>): MaybePromise<unknown>;
  /** Scope `cluster`. */
  readonly merge?: (parts: readonly unknown[], input: z.output<Input>, among: Among) => z.input<Output>;
  /** Scope `cluster`: the input of each member, if it is not the same for all. */
  readonly divide?: (input: z.output<Input>, index: number, count: number) => z.output<Input>;
  /** Scope `cluster`: is there an answer even if no member has given one? */
  readonly answersAlone?: boolean;
  /** Scope `primary`, instead of `run`. */
  readonly perform?: (context: PrimaryContext, input: z.output<Input>) => MaybePromise<z.input<Output>>;
}

/** A command whose result may be larger than memory, or has no end: `output` is the schema of one line. */
export interface StreamCommand<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodType = z.ZodType>
  extends Defined<Input, Output> {
  readonly streams: true;
  /**
   * The lines of one member.
   * @param signal aborted when the caller is gone or the broker stops: the lines end then. What is wrong with the input
   * is thrown before the first line.
   */
  run(context: CommandContext, input: z.output<Input>, signal: AbortSignal): AsyncIterable<z.input<Output>>;
  /** Scope `cluster`: the input of each member, if it is not the same for all. */
  readonly divide?: (input: z.output<Input>, index: number, count: number) => z.output<Input>;
  /** Scope `cluster`, of several members. Default: lines in the order in which they come. */
  readonly merge?: (
    streams: readonly AsyncIterable<z.input<Output>>[],
    input: z.output<Input>,
    among: Among,
    signal: AbortSignal,
  ) => AsyncIterable<z.input<Output>>;
}

export type AnyCommand = Command | StreamCommand;

/** The name of the field that says which members are missing from a merged answer. */
export const INCOMPLETE = "incomplete";
const incomplete = z.array(z.string()).optional().describe("members that did not answer: what they have is missing");

type WithIncomplete<Output extends z.ZodObject> = z.ZodObject<
  Output["shape"] & { [INCOMPLETE]: typeof incomplete },
  Output["_zod"]["config"]
>;

const LEAST: Readonly<Record<CommandKind, Role>> = { read: "read", write: "operate", danger: "admin" };

type OneAnswers<Input extends z.ZodObject> =
  | { readonly scope: "any" }
  | { readonly scope: "home"; home(input: z.output<Input>): string };

/** A command that one member answers. */
export function defineCommand<Input extends z.ZodObject, Output extends z.ZodType>(
  spec: CommandSpec<Input, Output> &
    OneAnswers<Input> & {
      run(context: CommandContext, input: z.output<Input>): MaybePromise<z.input<Output>>;
    },
): Command<Input, Output> {
  return { ...spec, role: spec.role ?? LEAST[spec.kind], streams: false };
}

/** A command that the process with the configuration does. */
export function definePrimaryCommand<Input extends z.ZodObject, Output extends z.ZodType>(
  spec: CommandSpec<Input, Output> & {
    run(context: PrimaryContext, input: z.output<Input>): MaybePromise<z.input<Output>>;
  },
): Command<Input, Output> {
  const { run: perform, ...rest } = spec;
  const run = (): never => {
    throw new Error(`${spec.name} is no command for a member`);
  };
  return { ...rest, role: spec.role ?? LEAST[spec.kind], streams: false, scope: "primary", run, perform };
}

/** A command that all members answer. */
export function defineClusterCommand<Input extends z.ZodObject, Output extends z.ZodObject, Part>(
  spec: CommandSpec<Input, Output> &
    Pick<Command<Input, Output>, "divide" | "answersAlone"> & {
      run(context: CommandContext, input: z.output<Input>): MaybePromise<Part>;
      /** There is at least one part, unless `answersAlone`. */
      merge(parts: readonly [Part, ...Part[]], input: z.output<Input>, among: Among): z.input<Output>;
    },
): Command<Input, WithIncomplete<Output>> {
  return {
    ...(spec as object as Command<Input, WithIncomplete<Output>>),
    role: spec.role ?? LEAST[spec.kind],
    streams: false,
    scope: "cluster",
    output: spec.output.extend({ [INCOMPLETE]: incomplete }) as WithIncomplete<Output>,
  };
}

export function defineStream<Input extends z.ZodObject, Output extends z.ZodType>(
  spec: CommandSpec<Input, Output> &
    (OneAnswers<Input> | { readonly scope: "cluster" }) &
    Pick<StreamCommand<Input, Output>, "run" | "divide" | "merge">,
): StreamCommand<Input, Output> {
  return { ...spec, role: spec.role ?? LEAST[spec.kind], streams: true };
}

const RANK: Readonly<Record<Role, number>> = { read: 0, operate: 1, admin: 2 };

export function mayCall(role: Role, command: AnyCommand): boolean {
  return RANK[role] >= RANK[command.role];
}
