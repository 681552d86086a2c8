// Unix-socket listener. A socket file that a crash has left is removed, but only if nobody listens behind it.
import { chmod, lstat, unlink } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import type { Accept } from "../connection.ts";
import { ListenerError } from "../errors.ts";
import { DEFAULT_BACKLOG, type UnixListenerConfig } from "../listener-config.ts";
import { type PlainAdmission, plainAdmission } from "./admission.ts";
import { bind, unbind } from "./bind.ts";
import type { Listener, ListenerContext } from "./listener.ts";

export class UnixListener implements Listener {
  connections = 0;
  readonly port: undefined = undefined;
  readonly address: string;
  private readonly config: UnixListenerConfig;
  private readonly options: ListenerContext;
  private readonly admission: PlainAdmission;
  private server: Server | undefined;

  constructor(config: UnixListenerConfig, accept: Accept, options: ListenerContext) {
    this.config = config;
    this.options = options;
    this.address = `unix:${config.path}`;
    this.admission = plainAdmission(config, accept, options, this);
  }

  async listen(): Promise<void> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, this.admission.accepted);
    const { path, mode } = this.config;
    const options = { path, backlog: this.config.backlog ?? DEFAULT_BACKLOG };
    try {
      await bind(server, options, this.address);
    } catch (error) {
      if (!(error instanceof ListenerError && error.code === "ERR_LISTENER_IN_USE" && (await isStale(path))))
        throw error;
      await unlink(path);
      await bind(server, options, this.address);
    }
    server.on("error", (error) => this.options.onError?.(error));
    this.server = server;
    this.admission.listening(server);
    // Until here the umask rules; the usual one lets only the owner connect, so nobody slips in before.
    if (mode !== undefined) await chmod(path, mode);
  }

  async close(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    this.admission.close();
    if (server !== undefined) await unbind(server);
  }
}

/** A socket file with nobody behind it. Anything else of that name, a regular file above all, is left alone. */
async function isStale(path: string): Promise<boolean> {
  const stat = await lstat(path).catch(() => undefined);
  if (stat?.isSocket() !== true) return false;
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      resolve(false);
    });
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  });
}
