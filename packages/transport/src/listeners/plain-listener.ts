// Base of the TCP and Unix listeners: servers whose connections carry MQTT from the first byte (or after a PROXY
// header), and the change of the configuration while they listen, which applies to later connections. Sockets, where
// there are any, are accepted paused, so that shared-read.ts can replace them before the first byte.
import { createServer, type Server } from "node:net";
import type { Accept, PlainConnection } from "../connection.ts";
import type { ListenerConfig, TcpListenerConfig, UnixListenerConfig } from "../listener-config.ts";
import { checkProxies } from "../proxy-protocol/proxy-admission.ts";
import { type PlainAdmission, plainAdmission } from "./admission.ts";
import { unbind } from "./bind.ts";
import type { Listener, ListenerContext } from "./listener.ts";
import { mustBeSameSocket } from "./same-socket.ts";

export abstract class PlainListener<C extends TcpListenerConfig | UnixListenerConfig> implements Listener {
  connections = 0;
  abstract readonly address: string;
  abstract readonly port: number | undefined;
  protected config: C;
  private readonly accept: Accept;
  private readonly options: ListenerContext;
  private servers: readonly Server[] = [];
  private admission: PlainAdmission;
  /** Connections whose PROXY header has not arrived. */
  private readonly waiting = new Set<PlainConnection>();
  private release: (() => void)[] = [];

  constructor(config: C, accept: Accept, options: ListenerContext) {
    this.config = config;
    this.accept = accept;
    this.options = options;
    this.admission = plainAdmission(config, accept, options, this, this.waiting);
  }

  /** Rejects with a ListenerError. */
  protected abstract open(make: () => Server): Promise<readonly Server[]>;

  async listen(): Promise<void> {
    const settings = { noDelay: true, pauseOnConnect: true, allowHalfOpen: true };
    this.servers = await this.open(() => createServer(settings, (socket) => this.admission.accepted(socket)));
    for (const server of this.servers) server.on("error", (error) => this.options.onError?.(error));
    this.use(this.admission);
  }

  async prepare(wanted: ListenerConfig): Promise<() => void> {
    mustBeSameSocket(this.config, wanted, this.port);
    checkProxies(wanted);
    const config = wanted as C;
    const admission = plainAdmission(config, this.accept, this.options, this, this.waiting);
    return () => {
      this.config = config;
      this.use(admission);
    };
  }

  async close(): Promise<void> {
    const { servers } = this;
    this.servers = [];
    this.release = [];
    // No other part of the broker has a reference to these.
    for (const connection of this.waiting) connection.destroy();
    await Promise.all(servers.map(unbind));
  }

  private use(admission: PlainAdmission): void {
    this.admission = admission;
    for (const release of this.release) release();
    this.release = this.servers.flatMap((server) => admission.listening(server) ?? []);
  }
}
