// What systemd wants to know of a service with `Type=notify`: that it is ready, that it stops, that it is alive. Node has no
// datagram sockets of the Unix kind, so the system's own `systemd-notify` speaks for us; elsewhere nothing happens.
import { execFile } from "node:child_process";
import type { Logger } from "@wrenmq/plugin-api";

const PATIENCE = 5_000;

/** Never rejects. @returns was it told? */
export function notifyService(what: "ready" | "stopping" | "alive"): Promise<boolean> {
  if (process.env["NOTIFY_SOCKET"] === undefined) return Promise.resolve(false);
  const word = { ready: "READY=1", stopping: "STOPPING=1", alive: "WATCHDOG=1" }[what];
  return new Promise((resolve) => {
    const options = { timeout: PATIENCE };
    execFile("systemd-notify", [`--pid=${process.pid}`, word], options, (error) => resolve(error === null));
  });
}

/**
 * Says that the service is ready, and from now on that it is alive: twice in the time that `WatchdogSec=` gives. A timer of
 * the event loop does it, so one that is stuck is found out.
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
