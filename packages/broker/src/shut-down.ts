// The end of a broker: clients get DISCONNECT and some time to read it, then everything is closed in order.
import type { ReasonCode } from "@wrenmq/codec";
import type { Logger } from "@wrenmq/plugin-api";
import type { Store } from "@wrenmq/store";
import type { ClientConnection } from "./connections/client-connection.ts";
import type { BrokerCore } from "./core.ts";
import type { Listeners } from "./listeners/listeners.ts";
import { clearStore } from "./persistence/clear-store.ts";
import type { PluginHost } from "./plugins/plugin-host.ts";
import type { Housekeeping } from "./reporting/housekeeping.ts";
import type { Clock } from "./runtime/clock.ts";

/** Milliseconds that clients have to read what they were sent last. */
const SHUTDOWN_GRACE = 3_000;

export interface RunningParts {
  readonly core: BrokerCore;
  readonly listeners: Listeners;
  readonly housekeeping: Housekeeping;
  readonly plugins: PluginHost;
  readonly store: Store | undefined;
  readonly logger: Logger;
}

export interface HowToShutDown {
  /** What MQTT 5 clients are told. */
  readonly reasonCode: ReasonCode;
  /** Remove everything from the store. */
  readonly clear: boolean;
}

export async function shutDown(parts: RunningParts, { reasonCode, clear }: HowToShutDown): Promise<void> {
  const { core, listeners, housekeeping, plugins, store, logger } = parts;
  housekeeping.stop();
  const open = await listeners.close();
  for (const connection of open) connection.machine.closeLink(reasonCode);
  core.flusher.run();
  await connectionsGone(open, core.clock);
  listeners.clear();
  await plugins.close();
  if (core.factLog !== undefined && core.cluster !== undefined) {
    // What peers have sent is stored and answered: otherwise they would refuse it to its publishers.
    await core.cluster.bus.leave();
    core.factLog.commit();
    await core.factLog.idle();
    core.flusher.run();
  }
  await core.cluster?.bus.stop();
  await core.factLog?.drain();
  core.timers.clear();
  core.backgroundTasks.clear();
  core.registry.clear();
  try {
    if (clear && store !== undefined) await clearStore(store);
  } catch (error) {
    logger.error({ err: error }, "the store was not cleared");
  }
  try {
    await store?.close();
  } catch (error) {
    logger.error({ err: error }, "the store did not close");
  }
}

/** Cuts all connections at once: nothing is sent and nothing is stored any more. */
export async function abandon({ core, listeners, housekeeping, plugins, store, logger }: RunningParts): Promise<void> {
  core.isAbandoned = true;
  core.factLog?.abandon();
  core.cluster?.bus.abandon();
  for (const connection of listeners.connections()) connection.transport.destroy();
  housekeeping.stop();
  await listeners.close();
  listeners.clear();
  await plugins.close();
  core.timers.clear();
  core.backgroundTasks.clear();
  core.registry.clear();
  try {
    await store?.close();
  } catch (error) {
    logger.debug({ err: error }, "the store did not close");
  }
}

/** Waits until every client has read its DISCONNECT, or the grace period is over. */
async function connectionsGone(open: readonly ClientConnection[], clock: Clock): Promise<void> {
  const remaining = new Set(open.filter((connection) => connection.isAttached));
  if (remaining.size > 0) {
    await new Promise<void>((resolve) => {
      const cancel = clock.at(clock.now() + SHUTDOWN_GRACE, resolve);
      for (const connection of remaining) {
        connection.whenClosed = () => {
          remaining.delete(connection);
          if (remaining.size > 0) return;
          cancel();
          resolve();
        };
      }
    });
  }
  for (const connection of open) connection.transport.destroy();
}
