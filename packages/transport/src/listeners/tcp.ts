// TCP listener. Where sockets are made at all they are accepted paused, so that shared-read.ts can take them over before
// the first byte.
import { createServer, type Server } from "node:net";
import type { Accept } from "../connection.ts";
import type { TcpListenerConfig } from "../listener-config.ts";
import { type PlainAdmission, plainAdmission } from "./admission.ts";
import { acceptOptions, bind, ipListenOptions, portOf, printableAddress, unbind } from "./bind.ts";
import type { Listener, ListenerContext } from "./listener.ts";

export class TcpListener implements Listener {
  connections = 0;
  port: number | undefined;
  private readonly config: TcpListenerConfig;
  private readonly options: ListenerContext;
  private readonly admission: PlainAdmission;
  private server: Server | undefined;

  constructor(config: TcpListenerConfig, accept: Accept, options: ListenerContext) {
    this.config = config;
    this.options = options;
    this.port = config.port;
    this.admission = plainAdmission(config, accept, options, this);
  }

  get address(): string {
    return printableAddress("mqtt", this.config.host, this.port ?? this.config.port);
  }

  async listen(): Promise<void> {
    const server = createServer(
      { ...acceptOptions(this.config), pauseOnConnect: true, allowHalfOpen: true },
      this.admission.accepted,
    );
    await bind(server, ipListenOptions(this.config), this.address);
    server.on("error", (error) => this.options.onError?.(error));
    this.server = server;
    this.admission.listening(server);
    this.port = portOf(server);
  }

  async close(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    this.admission.close();
    if (server !== undefined) await unbind(server);
  }
}
