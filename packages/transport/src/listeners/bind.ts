// Starts and stops Node servers, with promises and clear errors.
import type { ListenOptions, Server } from "node:net";
import { bindError, ListenerError, systemCode } from "../errors.ts";
import { DEFAULT_BACKLOG, type IpListenerConfig } from "../listener-config.ts";

/** `mqtt://127.0.0.1:1883`; without a host `mqtt://[::]:1883`. */
export function printableAddress(scheme: string, host: string | undefined, port: number): string {
  const name = host === undefined || host === "" ? "::" : host;
  return `${scheme}://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

function ipListenOptions(config: IpListenerConfig): ListenOptions {
  const options: ListenOptions = { port: config.port, backlog: config.backlog ?? DEFAULT_BACKLOG };
  if (config.host !== undefined && config.host !== "") options.host = config.host;
  if (config.ipv6Only !== undefined) options.ipv6Only = config.ipv6Only;
  return options;
}

/** Ports that are tried for `localhost` with port 0: one that is free for IPv4 may be in use for IPv6. */
const ATTEMPTS = 10;

/**
 * Listens on an address; for `localhost` on both loopback addresses, as clients resolve the name to either. Rejects
 * with a ListenerError, and then nothing listens.
 * @param make makes a server that does not listen yet
 */
export async function listenOn(make: () => Server, config: IpListenerConfig, address: string): Promise<Server[]> {
  const options = ipListenOptions(config);
  if (config.host?.toLowerCase() !== "localhost") return [await bound(make(), options, address)];
  for (let attempt = 1; ; attempt++) {
    const first = await bound(make(), { ...options, host: "127.0.0.1" }, address);
    const port = portOf(first) ?? config.port;
    const second = { ...options, host: "::1", port, ipv6Only: true };
    try {
      return [first, await bound(make(), second, address.replace("//localhost", "//[::1]"))];
    } catch (error) {
      const code = error instanceof ListenerError ? systemCode(error.cause) : "";
      // This machine has no IPv6.
      if (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT") return [first];
      await unbind(first);
      if (config.port !== 0 || code !== "EADDRINUSE" || attempt === ATTEMPTS) throw error;
    }
  }
}

async function bound(server: Server, options: ListenOptions, address: string): Promise<Server> {
  await bind(server, options, address);
  return server;
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

/**
 * Stops accepting. Resolves at once, as the port is free at once; Node's own callback would wait for the last
 * connection.
 */
export function unbind(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close((error) => {
      if (error !== undefined && systemCode(error) !== "ERR_SERVER_NOT_RUNNING") server.emit("error", error);
    });
    setImmediate(resolve);
  });
}

export function portOf(server: Server | undefined): number | undefined {
  const address = server?.address();
  return typeof address === "object" && address !== null ? address.port : undefined;
}
