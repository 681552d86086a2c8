// Runs the commands of the table: checks the input, asks the members that the command's scope names, merges their
// answers, and logs one line with the caller for each command that changes something, and for each stream of payloads.
import { type Broker, type Clock, systemClock } from "@wrenmq/broker";
import type { Logger } from "@wrenmq/plugin-api";
import type { z } from "zod";
import { AdminError, asAdminError, invalidInput } from "./admin-error.ts";
import { COMMANDS, type CommandName, type Commands } from "./commands.ts";
import type { AnyCommand, Command, PrimaryContext, StreamCommand } from "./define-command.ts";
import { INCOMPLETE } from "./define-command.ts";
import { gather } from "./members/gather.ts";
import { APPLY_STANDING, FAMILIES, READ_STANDING } from "./members/internal-commands.ts";
import { LocalMember, onlyMember } from "./members/local-member.ts";
import { type Member, MemberMissing, type Members } from "./members/member.ts";
import { reopenedStreams } from "./members/reopening.ts";
import { type Family, mergeFamilies, prometheusText } from "./metrics/prometheus.ts";
import { interleave } from "./streams/interleave.ts";
import { OpenStreams } from "./streams/open-streams.ts";

/** The broker, or all brokers that act as one: `workersAsMembers`. */
export type AdminSource = { readonly broker: Broker } | { readonly members: Members };

export type AdminOptions = AdminSource & {
  /** Gets one line for each command that changes something, and for each stream of payloads. */
  readonly logger: Logger;
  readonly reload?: PrimaryContext["reload"];
  /** For the times of `stats.watch` and `trace.run` of a broker in this process. Default: the system's. */
  readonly clock?: Clock;
  /**
   * Milliseconds for the answer of a member, besides what the command itself takes; after that the answer is made
   * without it. Default 5,000.
   */
  readonly patience?: number;
};

/** The caller, for the log: `token 8fj2… of ada`, `local socket`. */
export interface Caller {
  readonly who: string;
  readonly address?: string;
}

type InputOf<Name extends CommandName> = z.input<Commands[Name]["input"]>;
type AnswerOf<One> =
  One extends StreamCommand<infer _I, infer Output>
    ? Lines<z.output<Output>>
    : One extends Command<infer _I, infer Output>
      ? z.output<Output>
      : never;

/** The lines of a stream. */
export interface Lines<Line> extends AsyncIterable<Line> {
  /** Members whose lines are missing at present; it changes while the stream is read. */
  readonly incomplete: readonly string[];
}

const EMBEDDER: Caller = { who: "the embedding program" };
/** Fields that are never logged. */
const NOT_LOGGED: ReadonlySet<string> = new Set(["payload"]);
const LONGEST_LOGGED = 200;
const PATIENCE = 5_000;

type Input = Readonly<Record<string, unknown>>;

export class Admin {
  readonly #members: Members;
  readonly #own: LocalMember | undefined;
  readonly #primary: PrimaryContext;
  readonly #logger: Logger;
  readonly #patience: number;
  readonly #streams = new OpenStreams();
  /** Streams that wait for a member. */
  readonly #backs = new Map<Member, Set<() => void>>();

  constructor(options: AdminOptions) {
    const { logger, reload, clock = systemClock, patience = PATIENCE } = options;
    this.#logger = logger;
    this.#patience = patience;
    this.#primary = { reload };
    this.#own = "broker" in options ? new LocalMember(options.broker, logger, clock) : undefined;
    this.#members = "members" in options ? options.members : onlyMember(this.#own as Member);
    this.#members.onBack((member) => {
      void this.#tellStanding(member);
      for (const callback of [...(this.#backs.get(member) ?? [])]) callback();
    });
  }

  /** Ends the measurements and the streams. */
  close(): void {
    this.#streams.endAll();
    this.#own?.close();
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
        ? this.#stream(command, parsed.data, signal)
        : await this.#answer(command, parsed.data);
      if (isAudited(command)) this.#audit(command, parsed.data, caller, "done");
      return answer;
    } catch (error) {
      const known = asAdminError(error);
      if (known.code === "internal") this.#logger.error({ err: error, command: command.name }, "a command failed");
      if (isAudited(command)) this.#audit(command, parsed.data, caller, known.code);
      throw known;
    }
  }

  /** The text of `/metrics`. */
  async metricsText(): Promise<string> {
    const ask = (member: Member): Promise<unknown> => member.ask(FAMILIES, undefined, this.#patience);
    const { parts, answered, missing } = await gather(this.#members.all, ask);
    return prometheusText(mergeFamilies(parts as Family[][], { answered, missing }));
  }

  async #answer(command: Command, input: Input): Promise<unknown> {
    const patience = this.#patience + (command.patience?.(input) ?? 0);
    const { all } = this.#members;
    switch (command.scope) {
      case "primary":
        return command.perform?.(this.#primary, input);
      case "home":
        return this.#first([this.#members.homeOf(command.home?.(input) ?? "")], command, input, patience);
      case "any":
        return this.#first(all, command, input, patience);
      case "cluster": {
        const { parts, answered, missing } = await gather(all, (member, index) =>
          member.ask(command.name, command.divide?.(input, index, all.length) ?? input, patience),
        );
        if (parts.length === 0 && command.answersAlone !== true) throw nobody(all);
        const merged = command.merge?.(parts, input, { answered, missing }) as Input;
        return missing.length === 0 ? merged : { ...merged, [INCOMPLETE]: missing.map(({ name }) => name) };
      }
    }
  }

  /** The answer of the first member that gives one. What may have been done already is not done again. */
  async #first(members: readonly Member[], command: Command, input: Input, patience: number): Promise<unknown> {
    for (const member of members) {
      try {
        return await member.ask(command.name, input, patience);
      } catch (error) {
        if (!(error instanceof MemberMissing)) throw error;
        if (error.mayHaveRun && command.kind !== "read") break;
      }
    }
    throw nobody(members);
  }

  #stream(command: StreamCommand, input: Input, outer: AbortSignal | undefined): Lines<unknown> {
    const { all } = this.#members;
    const own = this.#own;
    if (own !== undefined) {
      const open = (signal: AbortSignal): AsyncIterable<unknown> => own.stream(command.name, input, signal);
      return Object.assign(this.#streams.open(open, outer), { incomplete: [] });
    }
    if (command.scope !== "cluster") {
      const asked = command.scope === "home" ? [this.#members.homeOf(command.home?.(input) ?? "")] : all;
      const open = (signal: AbortSignal): AsyncIterable<unknown> =>
        firstStream(asked, (member) => member.stream(command.name, input, signal));
      return Object.assign(this.#streams.open(open, outer), { incomplete: [] });
    }
    const first = all.find(({ up }) => up);
    if (first === undefined) throw nobody(all);
    const incomplete: string[] = [];
    const open = (signal: AbortSignal): AsyncIterable<unknown> => {
      const streams = reopenedStreams({
        members: all,
        signal,
        incomplete,
        open: (member, isAgain) => {
          const index = member === first && !isAgain ? 0 : Math.max(1, all.indexOf(member));
          return member.stream(command.name, command.divide?.(input, index, all.length) ?? input, signal);
        },
        whenBack: (member, callback) => this.#whenBack(member, callback),
      });
      return command.merge?.(streams, input, { answered: all, missing: [] }, signal) ?? interleave(streams);
    };
    return Object.assign(this.#streams.open(open, outer), { incomplete });
  }

  #whenBack(member: Member, callback: () => void): () => void {
    const callbacks = this.#backs.get(member) ?? new Set();
    this.#backs.set(member, callbacks.add(callback));
    return () => callbacks.delete(callback);
  }

  /** Bans and a drain live in memory: a member that was started again learns them from another one. */
  async #tellStanding(back: Member): Promise<void> {
    try {
      const others = this.#members.all.filter((member) => member !== back);
      for (const other of others) {
        const standing = await other.ask(READ_STANDING, undefined, this.#patience).catch(ignoreMissing);
        if (standing === undefined) continue;
        await back.ask(APPLY_STANDING, standing, this.#patience).catch(ignoreMissing);
        return;
      }
    } catch (error) {
      this.#logger.error({ err: error, member: back.name }, "a worker has not learned the bans of the others");
    }
  }

  #audit(command: AnyCommand, input: Input, { who, address }: Caller, outcome: string): void {
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

/** The lines of the first member that is there. */
async function* firstStream(
  members: readonly Member[],
  open: (member: Member) => AsyncIterable<unknown>,
): AsyncIterableIterator<unknown> {
  for (const member of members) {
    let isBegun = false;
    try {
      for await (const line of open(member)) {
        isBegun = true;
        yield line;
      }
      return;
    } catch (error) {
      if (!(error instanceof MemberMissing) || isBegun) throw error;
    }
  }
  throw nobody(members);
}

function nobody(members: readonly Member[]): AdminError {
  const names = members.map(({ name }) => name).join(", ");
  return new AdminError("unavailable", `no answer from ${names}`, { retryAfter: 1 });
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof MemberMissing)) throw error;
  return undefined;
}
