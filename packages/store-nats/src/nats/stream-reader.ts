// Reads a part of a stream with a consumer of its own that keeps no state: the server sends thousands of messages for one
// request. One by one they would cost a round trip each.
import { AckPolicy, DeliverPolicy, type JetStreamManager, ReplayPolicy } from "@nats-io/jetstream";
import { createInbox, type Msg, type NatsConnection, nanos, nuid } from "@nats-io/transport-node";
import { connectionState } from "./connection-state.ts";

/** Milliseconds without a message after which more are asked for, and how often that may be of no use. */
const QUIET = 500;
const PATIENCE = 10;
/** Messages that are asked for at once, and their bytes: a server disconnects who is too slow for what it has asked. */
const MESSAGES = 5_000;
const BYTES = 4 * 1024 * 1024;

/** Statuses that end a request and no more: its time is over, or the next message is longer than what is left of it. */
const isUsedUp = (code: number, description: string): boolean =>
  code === 404 || code === 408 || (code === 409 && /maxbytes|batch completed/i.test(description));

/** @throws Error: it was interrupted, or whatever `each` throws */
export async function readStream(
  nats: NatsConnection,
  jetstream: JetStreamManager,
  stream: string,
  from: number,
  to: number,
  each: (sequence: number, message: Uint8Array) => void,
): Promise<void> {
  const consumer = `wren_${nuid.next()}`;
  await jetstream.consumers.add(stream, {
    name: consumer,
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: from,
    replay_policy: ReplayPolicy.Instant,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: nanos(4 * QUIET * PATIENCE),
  });
  const request = JSON.stringify({ batch: MESSAGES, max_bytes: BYTES, expires: nanos(QUIET * PATIENCE) });
  const inbox = createInbox();
  await new Promise<void>((resolve, reject) => {
    const end = (error?: unknown): void => {
      clearInterval(timer);
      stopListening();
      replies.unsubscribe();
      if (error === undefined) resolve();
      else reject(error as Error);
    };
    let asked = 0;
    let isQuiet = 0;
    const next = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
    const ask = (): void => {
      asked = MESSAGES;
      nats.publish(next, request, { reply: inbox });
    };
    const stopListening = connectionState(nats).listen({
      lost: () => end(new Error("the connection to NATS is lost")),
      forbidden: (error) => {
        if (error.subject === next) end(error);
      },
    });
    const timer = setInterval(() => {
      if (++isQuiet > PATIENCE) end(new Error(`stream ${stream} cannot be read: no answer`));
      // A request whose bytes are used up exactly ends without a word.
      else if (isQuiet > 1) ask();
    }, QUIET);
    const replies = nats.subscribe(inbox, {
      callback: (error, message) => {
        if (error !== null) {
          end(error);
          return;
        }
        const sequence = sequenceOf(message);
        if (sequence === undefined) {
          const { code = 0, description = "no answer" } = message.headers ?? {};
          if (isUsedUp(code, description)) ask();
          else end(new Error(`stream ${stream} cannot be read: ${description}`));
          return;
        }
        isQuiet = 0;
        try {
          each(sequence, message.data);
        } catch (thrown) {
          end(thrown);
          return;
        }
        if (sequence === to) end();
        else if (--asked === 0) ask();
      },
    });
    ask();
  });
  // It goes by itself; this is sooner.
  jetstream.consumers.delete(stream, consumer).catch(() => {});
}

/** Of a message in its stream, as the acknowledgement's subject has it; undefined: it is a status. */
function sequenceOf({ reply, headers }: Msg): number | undefined {
  if (headers !== undefined && headers.code !== 0) return undefined;
  const parts = reply?.split(".") ?? [];
  // $JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.…, and with two more after ACK on newer servers.
  return parts.length >= 9 ? Number(parts[parts.length > 9 ? 7 : 5]) : undefined;
}
