// One worker: a whole broker that shares its listeners with the others and serves the clients whose home it is.
import { type Broker, createBroker, type Placement } from "@wrenmq/broker";
import { homeOf, MeshBus, UnixMesh } from "@wrenmq/cluster";
import { closeHandle, releaseSocket } from "@wrenmq/transport";
import { configToOptions } from "../broker/config-to-options.ts";
import { Reloader } from "../broker/reload.ts";
import { type EffectiveConfig, effectiveConfig } from "../commands/effective-config.ts";
import type { StartOptions } from "../commands/start-command.ts";
import { lineOf } from "../errors.ts";
import { createLogger } from "../logging.ts";
import { untilSignalled } from "../signals.ts";
import { type FromWorker, type HandOver, type ToWorker, WORKER_ENV } from "./messages.ts";
import { shareOf } from "./share.ts";

/** Resolves when the supervisor (or a signal) has ended it. Errors go to the supervisor. */
export async function runWorker(options: StartOptions): Promise<void> {
  try {
    await serve(options);
  } catch (error) {
    tell({ kind: "failed", line: lineOf(error) });
    process.exitCode = 1;
  }
  process.disconnect();
}

async function serve(options: StartOptions): Promise<void> {
  const self = Number(process.env[WORKER_ENV.self]);
  const count = Number(process.env[WORKER_ENV.count]);
  const folder = process.env[WORKER_ENV.folder] ?? "";
  const read = (): EffectiveConfig => {
    const { config, warnings } = effectiveConfig(options);
    return { config: shareOf(config, self, count), warnings: self === 0 ? warnings : [] };
  };
  const { config } = read();
  const logger = createLogger(config.log).child({ worker: self, pid: process.pid });
  const bus = new MeshBus({
    self,
    count,
    transport: new UnixMesh(folder, self),
    accept: (connection, listener) => broker.accept(connection, { listener }),
  });
  const brokerOptions = { ...(await configToOptions(config, logger)), bus, placement: placement(bus, self, count) };
  const broker: Broker = createBroker(brokerOptions);
  let reloader: Reloader | undefined;
  let stop = (): void => {};
  const told = new Promise<void>((resolve) => {
    stop = resolve;
  });
  process.on("message", (message: ToWorker, handle: unknown) => {
    if (message.kind === "handOver") adopt(broker, message, handle);
    else if (message.kind === "reload") void reloader?.reload();
    else stop();
  });
  await broker.start();
  reloader = new Reloader(broker, { config, options: brokerOptions, logger }, read);
  tell({ kind: "ready", addresses: [...broker.addresses] });
  // Reloading is the supervisor's word: it gets the signal, too.
  await Promise.race([told, untilSignalled(logger, () => {})]);
  await broker.shutdown();
}

/** Every client identifier has a home; whoever accepts a connection for another one gives it away. */
function placement(bus: MeshBus, self: number, count: number): Placement {
  return {
    isHome: (clientId) => homeOf(clientId, count) === self,
    handOver(connection, { clientId, listener }, head) {
      const to = homeOf(clientId, count);
      const { transport, remoteAddress: address, remotePort: port } = connection.info;
      const handle = transport === "tcp" || transport === "unix" ? releaseSocket(connection) : undefined;
      if (handle === undefined) return bus.relay(to, connection, listener, head) ?? "lost";
      tell({ kind: "handOver", to, listener, transport, source: { address, port }, head }, handle);
      return "released";
    },
  };
}

function adopt(broker: Broker, { listener, transport, source, head }: HandOver, handle: unknown): void {
  if (handle === undefined || handle === null) return;
  try {
    broker.adopt(handle, { listener, transport, source, head });
  } catch {
    // The listener is gone or the broker stops: the client connects again.
    closeHandle(handle);
  }
}

function tell(message: FromWorker, handle?: object): void {
  if (process.connected) process.send?.(message, handle as never, { keepOpen: false }, () => closeHandle(handle));
}
