// Reads a part of a stream with a consumer of its own that keeps no state: the server sends messages in order and ahead
// of what is asked for one by one, which short messages need.
import { AckPolicy, DeliverPolicy, type JetStreamManager, ReplayPolicy } from "@nats-io/jetstream";
import { createInbox, type Msg, type NatsConnection, nanos, nuid } from "@nats-io/transport-node";

/** Milliseconds without a message after which the reading is given up. */
const PATIENCE = 5_000;
/** Messages that are asked for at once: at most as many bytes as a server may send in one go without being told off. */
const AT_ONCE = 64;

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
    inactive_threshold: nanos(2 * PATIENCE),
  });
  const inbox = createInbox();
  await new Promise<void>((resolve, reject) => {
    const ended = (error?: unknown): void => {
      clearTimeout(timer);
      replies.unsubscribe();
      if (error === undefined) resolve();
      else reject(error as Error);
    };
    const timer = setTimeout(() => ended(new Error(`stream ${stream} cannot be read: no answer`)), PATIENCE);
    let asked = 0;
    const ask = (): void => {
      asked += AT_ONCE;
      const request = { batch: AT_ONCE, expires: nanos(PATIENCE) };
      nats.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, JSON.stringify(request), { reply: inbox });
    };
    const replies = nats.subscribe(inbox, {
      callback: (error, message) => {
        if (error !== null) {
          ended(error);
          return;
        }
        const sequence = sequenceOf(message);
        if (sequence === undefined) {
          ended(new Error(`stream ${stream} cannot be read: ${message.headers?.description ?? "no answer"}`));
          return;
        }
        if (sequence > to) return;
        try {
          each(sequence, message.data);
        } catch (thrown) {
          ended(thrown);
          return;
        }
        timer.refresh();
        if (sequence === to) ended();
        else if (--asked <= AT_ONCE) ask();
      },
    });
    ask();
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
