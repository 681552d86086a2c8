// `wrenmq pub`: connects, publishes, waits until everything is acknowledged.
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { type ClientOptions, clientSettings, connectClient } from "../../client/connect.ts";
import { CommandError, UsageError } from "../../errors.ts";

export interface PubOptions extends ClientOptions {
  readonly topic: string;
  readonly message?: string;
  readonly file?: string;
  readonly stdin?: boolean;
  readonly lines?: boolean;
  /** Commander's name for --no-message is taken by --message; see the option's attribute. */
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
  const settings = clientSettings("pub", options);
  const ofTopic = settings.config.topics.get(topic);
  const qos = (options.qos ?? ofTopic?.qos ?? settings.config.defaultQos ?? 0) as 0 | 1 | 2;
  const retain = options.retain ?? ofTopic?.retain ?? settings.config.defaultRetain ?? false;
  // A file that is not there is found out before anybody is connected to.
  if (options.file !== undefined) await (await open(options.file)).close();
  const client = await connectClient(settings, options.debug === true);
  try {
    const lost = new Promise<never>((_, reject) => {
      client.once("close", () => reject(new CommandError("the connection was lost")));
      client.on("error", (error) => reject(new CommandError(error.message, { cause: error })));
    });
    for await (const message of messages(options)) {
      await Promise.race([client.publishAsync(topic, message, { qos, retain }).catch(refused), lost]);
    }
    client.removeAllListeners("close");
    await client.endAsync();
  } catch (error) {
    client.end(true);
    throw error;
  }
}

function refused(error: unknown): never {
  throw new CommandError(`not published: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

async function* messages(options: PubOptions): AsyncGenerator<string | Buffer> {
  if (options.message !== undefined) yield options.message;
  else if (options.file !== undefined) yield* createInterface({ input: createReadStream(options.file) });
  else if (options.lines === true) yield* createInterface({ input: process.stdin });
  else if (options.stdin === true) {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    yield Buffer.concat(chunks);
  } else yield "";
}
