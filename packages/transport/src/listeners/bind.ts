// Starting and stopping a Node server as promises with clear errors.
import type { ListenOptions, Server } from "node:net";
import { bindError, systemCode } from "../errors.ts";
import { DEFAULT_BACKLOG, type IpListenerConfig } from "../listener-config.ts";

/** `mqtt://127.0.0.1:1883`; without host `mqtt://[::]:1883`. */
export function printableAddress(scheme: string, host: string | undefined, port: number): string {
  const name = host === undefined || host === "" ? "::" : host;
  return `${scheme}://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

export function ipListenOptions(config: IpListenerConfig): ListenOptions {
  const options: ListenOptions = { port: config.port, backlog: config.backlog ?? DEFAULT_BACKLOG };
  if (config.host !== undefined && config.host !== "") options.host = config.host;
  if (config.ipv6Only !== undefined) options.ipv6Only = config.ipv6Only;
  return options;
}

/** Options of `net.createServer` common to every IP listener. */
export function acceptOptions(config: IpListenerConfig): {
  noDelay: boolean;
  keepAlive?: boolean;
  keepAliveInitialDelay?: number;
} {
  if (config.tcpKeepAliveMs === undefined) return { noDelay: true };
  return { noDelay: true, keepAlive: true, keepAliveInitialDelay: config.tcpKeepAliveMs };
}

/** Rejects with a ListenerError. */
export function bind(server: Server, options: ListenOptions, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void => {
      server.off("listening", ready);
      reject(bindError(address, cause));
    };
    const ready = (): void => {
      server.off("error", failed);
      resolve();
    };
    server.once("error", failed);
    server.once("listening", ready);
    try {
      server.listen(options);
    } catch (cause) {
      server.off("error", failed);
      failed(cause);
    }
  });
}

/** Stops accepting. Node's own callback would wait for the last connection; the port is free at once. */
export function unbind(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close((error) => {
      if (error !== undefined && systemCode(error) !== "ERR_SERVER_NOT_RUNNING") server.emit("error", error);
    });
    setImmediate(resolve);
  });
}

export function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : undefined;
}
