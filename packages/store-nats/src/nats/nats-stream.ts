// The journal of a store as a stream of JetStream.
import { JetStreamApiError, type JetStreamManager, jetstreamManager, StorageType } from "@nats-io/jetstream";
import { type NatsConnection, PermissionViolationError } from "@nats-io/transport-node";
import { StoreError } from "@wrenmq/store";
import type { Appended, JournalStream, StreamState } from "../stream/journal-stream.ts";
import { Publisher } from "./publisher.ts";
import { readStream } from "./stream-reader.ts";

/** Milliseconds that an operation may take. */
const TIMEOUT = 2_000;
/** Milliseconds in which there may be too few servers for a new stream: they have just been started, perhaps. */
const TOO_FEW_SERVERS = 30_000;
/** Bytes of the longest message if the server does not say: what servers accept by default. */
const MAX_PAYLOAD = 1024 * 1024;
/** One message is read back as text, which is longer by a third, and with some words around it. */
const SHARE = 0.7;

/** Codes of JetStream's errors. */
const STREAM_NOT_FOUND = 10_059;
const NAME_IN_USE = 10_058;
const SUBJECTS_OVERLAP = 10_065;
const NOT_CLUSTERED = 10_074;
const NO_SUITABLE_PEERS = 10_005;
const NO_ROOM = [10_023, 10_028, 10_047];

/** The subject of the messages of a stream: `wren.<cluster>.j.<partition>` for `WREN_<cluster>_J<partition>`. */
export function subjectOf(stream: string): string {
  const [, cluster, partition] = /^WREN_(.+)_J(\d+)$/.exec(stream) ?? [];
  return cluster === undefined ? `wren.j.${stream}` : `wren.${cluster}.j.${partition}`;
}

export function natsStream(nats: NatsConnection, name: string, replicas: number): JournalStream {
  return new NatsStream(nats, name, replicas);
}

class NatsStream implements JournalStream {
  readonly name: string;
  readonly longest: number;
  readonly #nats: NatsConnection;
  readonly #replicas: number;
  readonly #subject: string;
  readonly #publisher: Publisher;
  #manager: Promise<JetStreamManager> | undefined;
  /** When there were too few servers for the first time. */
  #tooFewSince: number | undefined;

  constructor(nats: NatsConnection, name: string, replicas: number) {
    this.name = name;
    this.longest = Math.floor((nats.info?.max_payload ?? MAX_PAYLOAD) * SHARE);
    this.#nats = nats;
    this.#replicas = replicas;
    this.#subject = subjectOf(name);
    this.#publisher = new Publisher(nats, name, this.#subject, TIMEOUT);
  }

  async create(): Promise<void> {
    if (this.#nats.info?.jetstream !== true) {
      throw new StoreError("ERR_STORE_OPEN", `NATS server ${this.#nats.getServer()} runs without JetStream`);
    }
    try {
      if (await this.#isThere()) return;
      const { streams } = await this.#jetstream();
      await streams.add({
        name: this.name,
        subjects: [this.#subject],
        storage: StorageType.File,
        num_replicas: this.#replicas,
      });
    } catch (error) {
      // Another member has made it in this moment, with other replicas.
      if (codeOf(error) === NAME_IN_USE && (await this.#isThere())) return;
      throw this.#explained(error);
    }
  }

  async state(): Promise<StreamState> {
    const { state } = await this.#call(({ streams }) => streams.info(this.name));
    return { first: state.messages === 0 ? state.last_seq + 1 : state.first_seq, last: state.last_seq };
  }

  append(message: Uint8Array, expected: number): Promise<Appended> {
    return this.#publisher.publish(message, expected);
  }

  async message(sequence: number): Promise<Uint8Array | undefined> {
    const stored = await this.#call(({ streams }) => streams.getMessage(this.name, { seq: sequence }));
    return stored?.data;
  }

  async read(from: number, to: number, each: (sequence: number, message: Uint8Array) => void): Promise<void> {
    await this.#call((manager) => readStream(this.#nats, manager, this.name, from, to, each));
  }

  async purge(first: number): Promise<void> {
    await this.#call(({ streams }) => streams.purge(this.name, { seq: first }));
  }

  close(): void {
    this.#publisher.close();
  }

  async #call<T>(operation: (manager: JetStreamManager) => Promise<T>): Promise<T> {
    try {
      return await operation(await this.#jetstream());
    } catch (error) {
      throw this.#forbidden(error) ?? error;
    }
  }

  #jetstream(): Promise<JetStreamManager> {
    this.#manager ??= jetstreamManager(this.#nats, { checkAPI: false, timeout: TIMEOUT });
    return this.#manager;
  }

  async #isThere(): Promise<boolean> {
    const { streams } = await this.#jetstream();
    try {
      const { config } = await streams.info(this.name);
      if (config.subjects.length === 1 && config.subjects[0] === this.#subject) return true;
    } catch (error) {
      if (codeOf(error) === STREAM_NOT_FOUND) return false;
      throw error;
    }
    throw new StoreError("ERR_STORE_OPEN", `stream ${this.name} is there, but not for subject ${this.#subject} alone`);
  }

  #forbidden(error: unknown): StoreError | undefined {
    const violation = violationIn(error);
    if (violation === undefined) return undefined;
    const { operation, subject } = violation;
    return openError(`NATS does not permit what stream ${this.name} needs: ${operation} to ${subject}`, error);
  }

  /** In one line, where trying again is of no use. */
  #explained(error: unknown): unknown {
    const forbidden = this.#forbidden(error);
    if (forbidden !== undefined) return forbidden;
    const code = codeOf(error);
    if (code === undefined) return error;
    const reason = error instanceof Error ? error.message : String(error);
    if (code === NOT_CLUSTERED || code === NO_SUITABLE_PEERS) {
      const text = `NATS cannot keep ${this.#replicas} replicas of stream ${this.name}: ${reason}`;
      this.#tooFewSince ??= performance.now();
      const isHopeless = code === NOT_CLUSTERED || performance.now() - this.#tooFewSince > TOO_FEW_SERVERS;
      return isHopeless ? openError(text, error) : new Error(text, { cause: error });
    }
    if (NO_ROOM.includes(code)) return openError(`NATS has no room for stream ${this.name}: ${reason}`, error);
    if (code === SUBJECTS_OVERLAP) {
      return openError(`another stream has subject ${this.#subject}, which stream ${this.name} needs`, error);
    }
    return error;
  }
}

function openError(message: string, cause: unknown): StoreError {
  return new StoreError("ERR_STORE_OPEN", message, { cause });
}

function codeOf(error: unknown): number | undefined {
  return error instanceof JetStreamApiError ? error.code : undefined;
}

/** The client wraps it. */
function violationIn(error: unknown): PermissionViolationError | undefined {
  if (error instanceof PermissionViolationError) return error;
  return error instanceof Error && error.cause !== undefined ? violationIn(error.cause) : undefined;
}
