// The TCP listener.
import type { Server } from "node:net";
import type { Accept } from "../connection.ts";
import type { TcpListenerConfig } from "../listener-config.ts";
import { listenOn, portOf, printableAddress } from "./bind.ts";
import type { ListenerContext } from "./listener.ts";
import { PlainListener } from "./plain-listener.ts";

export class TcpListener extends PlainListener<TcpListenerConfig> {
  port: number | undefined;

  constructor(config: TcpListenerConfig, accept: Accept, options: ListenerContext) {
    super(config, accept, options);
    this.port = config.port;
  }

  get address(): string {
    return printableAddress("mqtt", this.config.host, this.port ?? this.config.port);
  }

  protected override async open(make: () => Server): Promise<readonly Server[]> {
    // Listening again uses the same port.
    const port = this.port ?? this.config.port;
    const servers = await listenOn(make, { ...this.config, port }, this.address);
    this.port = portOf(servers[0]);
    return servers;
  }
}
