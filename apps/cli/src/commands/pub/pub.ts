// `wrenmq pub`: connects, publishes, and waits until everything is acknowledged.
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { isTopicName } from "@wrenmq/topics";
import type { ClientOptions } from "../../client/client-options.ts";
import { clientSettings, connectClient, notATopic } from "../../client/connect.ts";
import { CommandError, UsageError } from "../../errors.ts";
import { reasonOf } from "../../system-error.ts";

export interface PubOptions extends ClientOptions {
  readonly topic: string;
  readonly message?: string;
  readonly file?: string;
  readonly stdin?: boolean;
  readonly lines?: boolean;
  /** Commander reads --no-message as the negation of --message; see the option's attribute. */
  readonly nothing?: boolean;
  readonly retain?: boolean;
}

/** @throws UsageError, CommandError */
export async function publish(options: PubOptions): Promise<void> {
  const { topic } = options;
  const sources = [options.message, options.file, options.stdin, options.lines, options.nothing];
  if (sources.filter((source) => source !== undefined).length !== 1) {
    throw new UsageError("give one of --message, --file, --stdin, --lines, --no-message");
  }
  // A broker may accept an invalid topic and deliver the message to nobody, so it is checked before connecting.
  if (!isTopicName(topic)) throw new UsageError(notATopic("the topic", topic));
  const settings = await clientSettings("pub", options, options.stdin === true || options.lines === true);
  const ofTopic = settings.config.topics.get(topic);
  const qos = (options.qos ?? ofTopic?.qos ?? settings.config.defaultQos ?? 0) as 0 | 1 | 2;
  const retain = options.retain ?? ofTopic?.retain ?? settings.config.defaultRetain ?? false;
  // So is a file that does not exist.
  if (options.file !== undefined) await (await open(options.file)).close();
  const client = await connectClient(settings, options.debug === true);
  let closed = (): void => {};
  const lost = new Promise<never>((_, reject) => {
    closed = () => reject(new CommandError("the connection was lost"));
    client.on("close", closed);
    client.on("error", (error) => reject(new CommandError(reasonOf(error), { cause: error })));
  });
  lost.catch(() => {}); // after the last message nothing awaits it
  try {
    for await (const message of messages(options)) {
      await Promise.race([client.publishAsync(topic, message, { qos, retain }).catch(refused), lost]);
    }
    client.off("close", closed);
    await client.endAsync();
  } catch (error) {
    client.end(true);
    throw error;
  }
}

function refused(error: unknown): never {
  throw new CommandError(`not published: ${reasonOf(error)}`, { cause: error });
}

async function* messages(options: PubOptions): AsyncGenerator<string | Buffer> {
  if (options.message !== undefined) yield options.message;
  else if (options.file !== undefined) yield* createInterface({ input: createReadStream(options.file) });
  else if (options.lines === true) yield* createInterface({ input: process.stdin });
  else if (options.stdin === true) {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Buffer | string));
    yield Buffer.concat(chunks);
  } else yield "";
}
