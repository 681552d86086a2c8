// One worker: a whole broker that shares its listeners with the others and serves the clients whose home it is.
import { type Broker, createBroker, type Placement, type PreparedChange } from "@wrenmq/broker";
import { homeOf, MeshBus, UnixMesh } from "@wrenmq/cluster";
import type { WrenConfig } from "@wrenmq/config";
import { closeHandle, releaseSocket } from "@wrenmq/transport";
import { configToOptions } from "../broker/config-to-options.ts";
import { Reloader } from "../broker/reload.ts";
import { lineOf } from "../errors.ts";
import { createLogger } from "../logging.ts";
import { untilSignalled } from "../signals.ts";
import { prepareForClients } from "../warm-up.ts";
import { type FromWorker, type HandOver, type ToWorker, WORKER_ENV } from "./messages.ts";
import { shareOf } from "./share.ts";

/** Resolves when the supervisor (or a signal) has ended it. Errors go to the supervisor. */
export async function runWorker(): Promise<void> {
  try {
    await serve(await firstConfig());
  } catch (error) {
    tell({ kind: "failed", line: lineOf(error) });
    process.exitCode = 1;
  }
  process.disconnect();
}

function firstConfig(): Promise<WrenConfig> {
  return new Promise((resolve) => {
    const heard = (message: ToWorker): void => {
      if (message.kind !== "configure") return;
      process.off("message", heard);
      resolve(message.config);
    };
    process.on("message", heard);
    tell({ kind: "begun" });
  });
}

async function serve(whole: WrenConfig): Promise<void> {
  const self = Number(process.env[WORKER_ENV.self]);
  const count = Number(process.env[WORKER_ENV.count]);
  const folder = process.env[WORKER_ENV.folder] ?? "";
  const config = shareOf(whole, self, count);
  const logger = createLogger(config.log).child({ worker: self, pid: process.pid });
  const bus = new MeshBus({
    self,
    count,
    transport: new UnixMesh(folder, self),
    accept: (connection, listener) => broker.accept(connection, { listener, handedOver: true }),
  });
  let reloader: Reloader | undefined;
  let stop = (): void => {};
  const told = new Promise<void>((resolve) => {
    stop = resolve;
  });
  let prepared: { readonly change: PreparedChange; readonly level: string } | undefined;
  const prepare = async (wanted: WrenConfig): Promise<void> => {
    let problem: string | undefined;
    try {
      const change = await reloader?.prepare(shareOf(wanted, self, count));
      if (change !== undefined) prepared = { change, level: wanted.log.level };
    } catch (error) {
      problem = lineOf(error);
    }
    tell({ kind: "changed", problem });
  };
  const decide = async (isCommit: boolean): Promise<void> => {
    const { change, level } = prepared ?? {};
    prepared = undefined;
    if (isCommit) {
      await change?.commit();
      logger.level = level ?? logger.level;
    } else await change?.abort();
    tell({ kind: "changed", problem: undefined });
  };
  process.on("message", (message: ToWorker, handle: unknown) => {
    if (message.kind === "handOver") adopt(broker, message, handle);
    else if (message.kind === "configure") void prepare(message.config);
    else if (message.kind === "decide") void decide(message.isCommit);
    else stop();
  });
  const options = { ...(await configToOptions(config, logger)), bus, placement: placement(bus, self, count) };
  const broker: Broker = createBroker(options);
  await broker.start();
  reloader = new Reloader(broker, { config, options });
  tell({ kind: "ready", addresses: [...broker.addresses] });
  // Reloading is the supervisor's word: it gets the signal, too.
  const warm = prepareForClients(broker, config, logger);
  await Promise.race([told, untilSignalled(logger, () => {})]);
  await warm.stop();
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
