// Which connections are traced. A connection that begins while somebody traces a client is traced until its CONNECT says
// whose it is.
import type { ConnectPacket, Packet } from "@wrenmq/codec";
import type { Action, PluginMessage } from "@wrenmq/plugin-api";
import type { Verdict } from "@wrenmq/protocol";
import { AuthorizationCache } from "../access/authorization-cache.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";
import type { TappedConnection } from "./services.ts";
import { type ConnectionTap, TracedScope } from "./traced-scope.ts";

/** @param connection number of the connection: several may follow each other */
export interface ClientTap {
  packet(connection: number, direction: "in" | "out", packet: Packet): void;
  authorized(action: Action, topic: string, verdict: Verdict): void;
  /** A PUBLISH of the client has passed every check and is about to be routed. */
  published(message: PluginMessage): void;
  refused(connection: number, verdict: Verdict): void;
  disconnected(connection: number, reasonCode: number): void;
}

export class ConnectionTaps {
  readonly #registry: SessionRegistry;
  readonly #byClient = new Map<string, Set<ClientTap>>();
  readonly #traced = new Set<TappedConnection>();

  constructor(registry: SessionRegistry) {
    this.#registry = registry;
  }

  /** Is nobody traced? */
  get isEmpty(): boolean {
    return this.#byClient.size === 0;
  }

  add(clientId: string, tap: ClientTap): void {
    const taps = this.#byClient.get(clientId) ?? new Set();
    this.#byClient.set(clientId, taps.add(tap));
    const connection = this.#registry.get(clientId)?.connection as TappedConnection | undefined;
    if (connection === undefined || this.#traced.has(connection)) return;
    this.#trace(connection, clientId);
    // Verdicts that are known already are asked for again, so that the trace has them.
    connection.access = new AuthorizationCache(connection.client, connection.scope.rules);
  }

  delete(clientId: string, tap: ClientTap): void {
    const taps = this.#byClient.get(clientId);
    if (taps?.delete(tap) !== true || taps.size > 0) return;
    this.#byClient.delete(clientId);
    for (const connection of this.#traced) {
      if ((connection as Partial<TappedConnection>).client?.clientId === clientId) this.#leave(connection);
      else if (this.isEmpty) this.#leave(connection);
    }
  }

  /** A connection on which nothing has arrived. */
  opened(connection: TappedConnection): void {
    this.#trace(connection, undefined);
  }

  #trace(connection: TappedConnection, known: string | undefined): void {
    const { id } = connection.transport;
    let clientId = known;
    const tell = (act: (tap: ClientTap) => void): void => {
      for (const tap of [...(this.#byClient.get(clientId ?? "") ?? [])]) act(tap);
    };
    const tap: ConnectionTap = {
      packetReceived: (packet) => {
        if (clientId === undefined) {
          clientId = (packet as ConnectPacket).clientId;
          if (clientId === "" || !this.#byClient.has(clientId)) {
            this.#leave(connection);
            return;
          }
        }
        tell((one) => one.packet(id, "in", packet));
      },
      packetSent: (packet) => tell((one) => one.packet(id, "out", packet)),
      authorized: (action, topic, verdict) => tell((one) => one.authorized(action, topic, verdict)),
      published: (message) => tell((one) => one.published(message)),
      refused: (verdict) => tell((one) => one.refused(id, verdict)),
      disconnected: (reasonCode) => tell((one) => one.disconnected(id, reasonCode)),
      closed: () => this.#traced.delete(connection),
    };
    connection.scope = new TracedScope(connection.scope, tap);
    this.#traced.add(connection);
  }

  #leave(connection: TappedConnection): void {
    this.#traced.delete(connection);
    const { scope } = connection;
    if (!(scope instanceof TracedScope)) return;
    connection.scope = scope.original;
    const { access, client } = connection as Partial<TappedConnection>;
    if (access !== undefined && client !== undefined) {
      connection.access = new AuthorizationCache(client, scope.original.rules);
    }
  }
}
