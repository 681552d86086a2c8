// `wrenmq sub`: prints the payload of each message, and a newline, until it is stopped or has seen enough.
import type { ISubscriptionMap, MqttClient } from "mqtt";
import type { ClientConfig } from "../../client/client-config.ts";
import { type ClientOptions, clientSettings, connectClient } from "../../client/connect.ts";
import { CommandError } from "../../errors.ts";

export interface SubOptions extends ClientOptions {
  readonly topic: readonly string[];
  readonly count?: number;
}

const REFUSED = 0x80;

/** @throws UsageError, CommandError */
export async function subscribe(options: SubOptions): Promise<void> {
  const settings = clientSettings("sub", options);
  const { config } = settings;
  const client = await connectClient(settings, options.debug === true);
  const over = new AbortController();
  const done = printed(client, config, { count: options.count, over: over.signal });
  done.catch(() => {}); // when the subscription fails, that is the error
  try {
    await request(client, filters(options, config));
    await done;
    over.abort();
    await client.endAsync();
  } catch (error) {
    over.abort();
    client.end(true);
    throw error;
  }
}

function filters({ topic, qos }: SubOptions, config: ClientConfig): ISubscriptionMap {
  const asked = topic.map((filter) => {
    const level = qos ?? config.topics.get(filter)?.qos ?? config.defaultQos ?? 0;
    return [filter, { qos: level as 0 | 1 | 2 }] as const;
  });
  return Object.fromEntries(asked);
}

async function request(client: MqttClient, wanted: ISubscriptionMap): Promise<void> {
  const granted = await client.subscribeAsync(wanted).catch((error: unknown) => {
    throw new CommandError(`not subscribed: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  });
  const refused = granted.filter(({ qos }) => qos >= REFUSED).map(({ topic }) => topic);
  if (refused.length > 0) throw new CommandError(`not subscribed: the broker refuses ${refused.join(", ")}`);
}

/** Resolves after `count` messages or at SIGINT or SIGTERM; rejects when the connection is lost for good. */
function printed(
  client: MqttClient,
  config: ClientConfig,
  { count = Number.POSITIVE_INFINITY, over }: { readonly count: number | undefined; readonly over: AbortSignal },
): Promise<void> {
  const retries = config.autoReconnect === false ? 0 : (config.reconnectRetries ?? 2);
  const longest = (config.reconnectMaxInterval ?? 10) * 1000;
  return new Promise((resolve, reject) => {
    let seen = 0;
    let tries = 0;
    client.on("message", (_topic, payload) => {
      if (seen >= count) return;
      process.stdout.write(Buffer.concat([payload, Buffer.from("\n")]));
      if (++seen >= count) resolve();
    });
    client.on("connect", () => {
      tries = 0;
    });
    client.on("error", () => {}); // "close" follows
    client.on("close", () => {
      if (over.aborted) return;
      if (retries >= 0 && tries >= retries) return reject(new CommandError("the connection was lost"));
      const wait = Math.min(longest, 1000 * 2 ** tries++);
      const timer = setTimeout(() => client.reconnect(), wait);
      over.addEventListener("abort", () => clearTimeout(timer), { once: true });
    });
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}
