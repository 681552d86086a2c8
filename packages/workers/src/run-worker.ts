// One worker: a broker that shares its listeners with the other workers and serves the clients whose home it is.
import type { Broker, BrokerOptions, Placement, PreparedChange } from "@wrenmq/broker";
import { homeOf, MeshBus, UnixMesh } from "@wrenmq/cluster";
import { closeHandle, releaseSocket } from "@wrenmq/transport";
import { type Answering, Answers } from "./answers.ts";
import { type FromWorker, type HandOver, type ToWorker, WORKER_ENV } from "./messages.ts";

/** The worker that this process is. */
export interface WorkerPlace {
  /** From 0. */
  readonly worker: number;
  readonly count: number;
  /** Options that make the broker one of several; to be passed to `createBroker`. */
  readonly options: Pick<BrokerOptions, "bus" | "placement" | "ticketSecret">;
}

/** The broker of this worker. */
export interface WorkerBroker<Config> extends Answering {
  /** Not started: `runWorker` starts it. */
  readonly broker: Broker;
  /** Called when clients may connect. Default: nothing is called. */
  started?(): void;
  /**
   * Prepares another configuration while the present one is in use, as `broker.prepare()` does. If it rejects nothing
   * has changed. The result is committed when all workers are ready, or dropped. Default: the configuration cannot
   * change.
   */
  prepare?(config: Config): Promise<PreparedChange>;
  /** Resolves when the worker is to end although the supervisor has not said so. Default: at SIGINT and SIGTERM. */
  readonly ended?: Promise<unknown>;
  /** Default: `broker.shutdown()`. */
  stop?(): Promise<void>;
}

export interface WorkerOptions<Config> {
  /**
   * Makes the broker with `place.options` among its options. A rejection ends the worker, with its message as the
   * reason.
   */
  createBroker(config: Config, place: WorkerPlace): Promise<WorkerBroker<Config>> | WorkerBroker<Config>;
  /** One line for the operator. Default: the message of the error. */
  readonly describe?: (error: unknown) => string;
}

/**
 * Runs a worker in a process that `startWorkers` has started. Resolves when the supervisor, or a signal, has ended it.
 * Errors are sent to the supervisor, and the exit code is then 1.
 */
export async function runWorker<Config>({ createBroker, describe = messageOf }: WorkerOptions<Config>): Promise<void> {
  try {
    await serve(await first<Config>(), createBroker, describe);
  } catch (error) {
    tell({ kind: "failed", line: describe(error) });
    process.exitCode = 1;
  }
  process.disconnect();
}

type Configure<Config> = Extract<ToWorker<Config>, { kind: "configure" }>;

function first<Config>(): Promise<Configure<Config>> {
  return new Promise((resolve) => {
    const heard = (message: ToWorker<Config>): void => {
      if (message.kind !== "configure") return;
      process.off("message", heard);
      resolve(message);
    };
    process.on("message", heard);
    tell({ kind: "begun" });
  });
}

async function serve<Config>(
  { config, ticketSecret }: Configure<Config>,
  createBroker: WorkerOptions<Config>["createBroker"],
  describe: (error: unknown) => string,
): Promise<void> {
  const worker = Number(process.env[WORKER_ENV.self]);
  const count = Number(process.env[WORKER_ENV.count]);
  const folder = process.env[WORKER_ENV.folder] ?? "";
  let running: WorkerBroker<Config> | undefined;
  const bus = new MeshBus({
    self: worker,
    count,
    transport: new UnixMesh(folder, worker),
    accept: (connection, listener) => {
      if (running === undefined) connection.destroy();
      else running.broker.accept(connection, { listener, handedOver: true });
    },
  });
  let stop = (): void => {};
  const told = new Promise<void>((resolve) => {
    stop = resolve;
  });
  let prepared: PreparedChange | undefined;
  const prepare = async (wanted: Config): Promise<void> => {
    let problem: string | undefined;
    try {
      if (running?.prepare === undefined)
        throw new Error("the workers cannot change their configuration while they run");
      prepared = await running.prepare(wanted);
    } catch (error) {
      problem = describe(error);
    }
    tell({ kind: "changed", problem });
  };
  const decide = async (isCommit: boolean): Promise<void> => {
    const change = prepared;
    prepared = undefined;
    await (isCommit ? change?.commit() : change?.abort());
    tell({ kind: "changed", problem: undefined });
  };
  const answers = new Answers(() => running, tell, describe);
  process.on("message", (message: ToWorker<Config>, handle: unknown) => {
    switch (message.kind) {
      case "handOver":
        adopt(running?.broker, message, handle);
        return;
      case "configure":
        void prepare(message.config);
        return;
      case "decide":
        void decide(message.isCommit);
        return;
      case "stop":
        stop();
        return;
      default:
        answers.heard(message);
    }
  });
  const options = { bus, placement: placement(bus, worker, count), ticketSecret };
  running = await createBroker(config, { worker, count, options });
  const { broker } = running;
  await broker.start();
  const listeners = [...broker.operations.listeners()];
  const authenticators = listeners.map((one) => [one.name, one.authenticators] as const);
  tell({ kind: "ready", addresses: [...broker.addresses], authenticators });
  running.started?.();
  await Promise.race([told, running.ended ?? signalled()]);
  await (running.stop === undefined ? broker.shutdown() : running.stop());
}

function signalled(): Promise<unknown> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, resolve);
  });
}

/** Placement of clients: a client identifier has one home, and a connection that arrives elsewhere is handed over. */
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

function adopt(broker: Broker | undefined, { listener, transport, source, head }: HandOver, handle: unknown): void {
  if (handle === undefined || handle === null) return;
  try {
    if (broker === undefined) closeHandle(handle);
    else broker.adopt(handle, { listener, transport, source, head });
  } catch {
    // The listener is gone or the broker stops: the client will reconnect.
    closeHandle(handle);
  }
}

function tell(message: FromWorker, handle?: object): void {
  if (process.connected) process.send?.(message, handle as never, { keepOpen: false }, () => closeHandle(handle));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
