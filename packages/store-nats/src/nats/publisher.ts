// Publishes one message after the other to a stream, with a reply subject of its own: a third of what the client's own
// way costs, which makes a subscription-like request of each. Only the answer to the last message counts.
import { createInbox, headers, type Msg, type NatsConnection, type Subscription } from "@nats-io/transport-node";
import { StoreError } from "@wrenmq/store";
import type { Appended } from "../stream/journal-stream.ts";
import { type ConnectionState, connectionState } from "./connection-state.ts";

/** Codes of JetStream's errors: the newest message has another number; and the same, with the number unknown. */
const WRONG_LAST_SEQUENCE = 10_071;
const WRONG_LAST_SEQUENCE_UNKNOWN = 10_164;
const NO_RESPONDERS = 503;

interface Waiting {
  readonly reply: string;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

interface Answer {
  readonly stream?: string;
  readonly seq?: number;
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

export class Publisher {
  readonly #nats: NatsConnection;
  readonly #stream: string;
  readonly #subject: string;
  readonly #timeout: number;
  readonly #connection: ConnectionState;
  readonly #inbox: string = createInbox();
  readonly #replies: Subscription;
  readonly #stopListening: () => void;
  #count = 0;
  #waiting: Waiting | undefined;

  /** @param timeout milliseconds for an answer */
  constructor(nats: NatsConnection, stream: string, subject: string, timeout: number) {
    this.#nats = nats;
    this.#stream = stream;
    this.#subject = subject;
    this.#timeout = timeout;
    this.#connection = connectionState(nats);
    this.#stopListening = this.#connection.listen({
      lost: () => this.#fail(new Error("the connection to NATS is lost")),
      forbidden: (error) => {
        if (error.operation !== "publish" || error.subject !== subject) return;
        const reason = `NATS does not permit what stream ${stream} needs: publish to ${subject}`;
        this.#fail(new StoreError("ERR_STORE_OPEN", reason, { cause: error }));
      },
    });
    this.#replies = nats.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#answered(message);
      },
    });
  }

  publish(message: Uint8Array, expected: number): Promise<Appended> {
    return new Promise((resolve, reject) => {
      this.#fail(new Error("another message was published"));
      // The client would keep it, and the next attempt too, for as long as NATS is away.
      if (!this.#connection.isThere) throw new Error("there is no connection to NATS");
      const head = headers();
      head.set("Nats-Expected-Last-Sequence", String(expected));
      const reply = `${this.#inbox}.${++this.#count}`;
      this.#nats.publish(this.#subject, message, { reply, headers: head });
      const late = new Error(`stream ${this.#stream} does not acknowledge`);
      const timer = setTimeout(() => this.#fail(late), this.#timeout);
      this.#waiting = { reply, resolve, reject, timer };
    });
  }

  close(): void {
    this.#fail(new Error("the store is closed"));
    this.#stopListening();
    this.#replies.unsubscribe();
  }

  #answered(message: Msg): void {
    const waiting = this.#waiting;
    if (waiting?.reply !== message.subject) return;
    if (message.headers?.code === NO_RESPONDERS) {
      this.#fail(new Error(`no NATS server answers for stream ${this.#stream}`));
      return;
    }
    const { stream, seq, error } = message.json<Answer>();
    const code = error?.err_code;
    if (code === WRONG_LAST_SEQUENCE || code === WRONG_LAST_SEQUENCE_UNKNOWN) {
      const last = /: (\d+)$/.exec(error?.description ?? "")?.[1];
      this.#done({ refusedAfter: last === undefined ? undefined : Number(last) });
    } else if (stream === this.#stream && seq !== undefined) this.#done({ sequence: seq });
    else this.#fail(new Error(`stream ${this.#stream} refuses a message: ${error?.description ?? stream}`));
  }

  #done(appended: Appended): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    clearTimeout(waiting.timer);
    waiting.resolve(appended);
  }

  #fail(error: Error): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    clearTimeout(waiting.timer);
    waiting.reject(error);
  }
}
