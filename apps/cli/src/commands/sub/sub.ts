// `wrenmq sub`: prints the payload of each message and a newline, until it is stopped or has printed enough.
import { isTopicFilter } from "@wrenmq/topics";
import { type ISubscriptionMap, type MqttClient, ReasonCodes } from "mqtt";
import type { ClientConfig } from "../../client/client-config.ts";
import type { ClientOptions } from "../../client/client-options.ts";
import { clientSettings, connectClient } from "../../client/connect.ts";
import { PrintedMessages } from "../../client/printed-messages.ts";
import { CommandError, UsageError } from "../../errors.ts";
import { reasonOf } from "../../system-error.ts";

export interface SubOptions extends ClientOptions {
  readonly topic: readonly string[];
  readonly count?: number;
  readonly verbose?: boolean;
}

const REFUSED = 0x80;
/** The only failure code of 3.1.1, and Unspecified error of MQTT 5. [MQTT5 3.9.3] */
const UNSPECIFIED = 0x80;

/** @throws UsageError, CommandError */
export async function subscribe(options: SubOptions): Promise<void> {
  const wrong = options.topic.find((filter) => !isTopicFilter(filter));
  if (wrong !== undefined) throw new UsageError(`not a topic filter: "${wrong}"`);
  const settings = await clientSettings("sub", options);
  const { config } = settings;
  const messages = new PrintedMessages(options);
  const stopped = new AbortController();
  let subscription = new Promise<never>(() => {});
  // Messages of a present session follow CONNACK at once: handlers are set before connecting.
  const client = await connectClient(settings, options.debug === true, (one) => {
    messages.readFrom(one);
    subscription = subscribed(one, filters(options, config));
    subscription.catch(() => {}); // when the connection fails, that is the error
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopped.abort());
  try {
    await Promise.race([messages.enough, untilAborted(stopped.signal), subscription, lostForGood(client, config)]);
    messages.stop();
    await client.endAsync();
  } catch (error) {
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

/**
 * Subscribes on the first connection, and on later ones whose session does not have the subscriptions.
 * @returns never resolves; rejects when the broker refuses
 */
function subscribed(client: MqttClient, wanted: ISubscriptionMap): Promise<never> {
  let isKnown = false;
  return new Promise((_, reject) => {
    client.on("connect", ({ sessionPresent }) => {
      if (isKnown && sessionPresent) return;
      isKnown = false;
      client.subscribeAsync(wanted).then(
        () => {
          isKnown = true;
        },
        (error: unknown) => {
          // If the connection was lost meanwhile, the next one subscribes.
          if (client.connected) reject(new CommandError(`not subscribed: ${refusal(error, wanted)}`, { cause: error }));
        },
      );
    });
  });
}

function refusal(error: unknown, wanted: ISubscriptionMap): string {
  const { code, packet } = error as Partial<{ code: number; packet: { granted: readonly unknown[] } }>;
  const granted = packet?.granted ?? [];
  const refused = Object.keys(wanted).filter((_, index) => Number(granted[index]) >= REFUSED);
  if (refused.length === 0) return reasonOf(error);
  const reason =
    code === undefined || code === UNSPECIFIED ? "" : ` (${ReasonCodes[code as keyof typeof ReasonCodes]})`;
  return `the broker refuses ${refused.join(", ")}${reason}`;
}

/**
 * Reconnects when the connection is lost.
 * @returns never resolves; rejects when the number of tries is used up
 */
function lostForGood(client: MqttClient, config: ClientConfig): Promise<never> {
  const retries = config.autoReconnect === false ? 0 : (config.reconnectRetries ?? 2);
  const longest = (config.reconnectMaxInterval ?? 10) * 1000;
  let tries = 0;
  client.on("connect", () => {
    tries = 0;
  });
  client.on("error", () => {}); // "close" follows
  return new Promise((_, reject) => {
    client.on("close", () => {
      if (client.disconnecting) return;
      if (retries >= 0 && tries >= retries) return reject(new CommandError("the connection was lost"));
      const { incomingStore, outgoingStore } = client;
      setTimeout(
        () => {
          // With its stores, so that half received messages of the session continue.
          if (!client.disconnecting) client.reconnect({ incomingStore, outgoingStore });
        },
        Math.min(longest, 1000 * 2 ** tries++),
      );
    });
  });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
