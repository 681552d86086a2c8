// Notifies systemd about a service with `Type=notify`: ready, stopping, alive. Node has no Unix datagram sockets, so
// `systemd-notify` is run; on other systems nothing happens.
import { execFile } from "node:child_process";
import type { Logger } from "@wrenmq/plugin-api";

const PATIENCE = 5_000;

/**
 * Never rejects.
 * @returns was the notification sent?
 */
export function notifyService(what: "ready" | "stopping" | "alive"): Promise<boolean> {
  if (process.env["NOTIFY_SOCKET"] === undefined) return Promise.resolve(false);
  const word = { ready: "READY=1", stopping: "STOPPING=1", alive: "WATCHDOG=1" }[what];
  return new Promise((resolve) => {
    const options = { timeout: PATIENCE };
    execFile("systemd-notify", [`--pid=${process.pid}`, word], options, (error) => resolve(error === null));
  });
}

/**
 * Notifies that the service is ready, and then regularly that it is alive: twice in the time of `WatchdogSec=`. A timer
 * of the event loop does it, so systemd notices when that is stuck.
 */
export function serviceIsReady(logger: Logger): { stop(): void } {
  if (process.env["NOTIFY_SOCKET"] === undefined) return { stop: () => {} };
  void notifyService("ready").then((isTold) => {
    if (!isTold) logger.warn({}, "systemd was not told that the broker is ready: is systemd-notify there?");
  });
  const microseconds = Number(process.env["WATCHDOG_USEC"] ?? 0);
  if (!(microseconds > 0)) return { stop: () => {} };
  const timer = setInterval(() => void notifyService("alive"), microseconds / 2_000);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
