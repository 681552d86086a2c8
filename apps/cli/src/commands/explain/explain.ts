// `wrenmq explain`: starts the plugins of a configuration, without listeners, and prints their decisions about a topic.
import { createBroker, type ListenerOptions } from "@wrenmq/broker";
import { configToOptions } from "@wrenmq/host";
import { type ClientInfo, isGranted, type Opinion } from "@wrenmq/plugin-api";
import { effectiveConfig } from "../../broker/effective-config.ts";
import { CommandError, UsageError } from "../../errors.ts";
import { createLogger } from "../../logging.ts";

export interface ExplainOptions {
  readonly config?: string;
  readonly user?: string;
  readonly clientId: string;
  readonly listener?: string;
  readonly action: "publish" | "subscribe" | "receive";
}

/**
 * Prints each plugin's opinion, and the result.
 * @throws ConfigError, PluginError, UsageError; CommandError when the topic is refused
 */
export async function explain(topic: string, options: ExplainOptions & { readonly config: string }): Promise<void> {
  const { config, plugins } = await effectiveConfig({ config: options.config });
  const listener = options.listener ?? config.listeners[0]?.name ?? "";
  if (!config.listeners.some(({ name }) => name === listener)) {
    throw new UsageError(`there is no listener "${listener}"`);
  }
  const logger = createLogger({ level: "error", format: "text" });
  const { listeners = {}, ...rest } = await configToOptions(
    { ...config, store: { durability: "memory" } },
    logger,
    plugins,
  );
  // Only names and plugins of the listeners are used: nothing listens.
  const closed = Object.entries(listeners).map(([name, { plugins }]): [string, ListenerOptions] => [
    name,
    { type: "external", ...(plugins === undefined ? {} : { plugins }) },
  ]);
  await using broker = createBroker({ ...rest, listeners: Object.fromEntries(closed), sys: { intervalSeconds: 0 } });
  await broker.start();
  const client = clientOf(options, listener);
  const opinions = (await broker.explain({ client, action: options.action, topic })) as readonly Opinion[];
  for (const { plugin, decision, rule } of opinions) {
    process.stdout.write(`${plugin}: ${decision}${rule === undefined ? "" : ` (${rule})`}\n`);
  }
  const allowed = isGranted(opinions);
  process.stdout.write(`${allowed ? "allowed" : "denied"}\n`);
  if (!allowed) throw new CommandError(`${options.action} ${topic} is denied`);
}

function clientOf({ clientId, user }: ExplainOptions, listener: string): ClientInfo {
  return {
    clientId,
    username: user,
    protocolVersion: 5,
    bridge: false,
    cleanStart: true,
    keepAlive: 0,
    listener,
    remoteAddress: "127.0.0.1",
    remotePort: undefined,
    secure: false,
    certificate: undefined,
    userProperties: [],
    connectedAt: Date.now(),
    attributes: {},
  };
}
