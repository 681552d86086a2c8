// The admin API over TCP, off unless it is configured: with tokens, with TLS where other machines can reach it, and
// with bounds on all input. It shares the event loop of the broker, so it must not take much of it.
import { setMaxListeners } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Logger } from "@wrenmq/plugin-api";
import type { Admin } from "../admin.ts";
import { AdminError } from "../admin-error.ts";
import { closeServer } from "./close-server.ts";
import { ConnectionRoom } from "./connection-room.ts";
import { DashboardFiles } from "./dashboard-files.ts";
import { createHandler } from "./handler.ts";
import type { PageLoginOptions } from "./page-login.ts";
import { PageSessions } from "./page-sessions.ts";
import type { Principal } from "./principal.ts";
import { FailureLimit, type Rate, RequestRate } from "./request-limits.ts";
import { AdminTokens } from "./tokens.ts";

export interface AdminHttpOptions {
  readonly admin: Admin;
  readonly logger: Logger;
  /** Address to listen at. Default: every address. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /**
   * File with the tokens of the callers. Without it only health and metrics are served, and only to this machine; with
   * `insecure` everything is served to everybody.
   */
  readonly tokensFile?: string;
  /** Default: HTTP without TLS. */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string; readonly keyPassphrase?: string };
  /** Host names (with or without port) that the Host header may have, besides `host` and the names of this machine. Default: none. */
  readonly hosts?: readonly string[];
  /** Serve other machines without TLS or without tokens. Default false. */
  readonly insecure?: boolean;
  /** Folder of the dashboard's files: `dist` of `@wrenmq/dashboard`. Without it there is no dashboard. */
  readonly dashboard?: string;
  /** @internal for tests, which would wait long otherwise */
  readonly bounds?: Partial<Bounds>;
}

/** What a client may take. Times are milliseconds. */
interface Bounds {
  readonly connections: number;
  /** Of `connections`, those whose caller is not known. */
  readonly strangers: number;
  readonly headerBytes: number;
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  readonly checkInterval: number;
  /** For which a client may read nothing of an answer. */
  readonly slowestReader?: number;
  readonly callersRate: Rate;
  /** Of all strangers at one address: probes, pages of the dashboard before somebody has signed in. */
  readonly strangersRate: Rate;
}

const BOUNDS: Bounds = {
  connections: 100,
  strangers: 50,
  headerBytes: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 10_000,
  checkInterval: 1_000,
  callersRate: { perSecond: 50, burst: 200 },
  strangersRate: { perSecond: 100, burst: 500 },
};
/** Milliseconds between two checks whether the certificate has changed. */
const CERTIFICATE_INTERVAL = 10_000;

export class AdminHttp {
  readonly #options: AdminHttpOptions;
  readonly #tokens: AdminTokens | undefined;
  readonly #failures = new FailureLimit();
  readonly #bounds: Bounds;
  readonly #rate: RequestRate;
  readonly #strangersRate: RequestRate;
  readonly #room: ConnectionRoom;
  #sessions: PageSessions | undefined;
  readonly #closing = new AbortController();
  #server: Server | TlsServer | undefined;
  #watch: NodeJS.Timeout | undefined;
  #seen = "";

  private constructor(options: AdminHttpOptions, tokens: AdminTokens | undefined) {
    this.#options = options;
    this.#tokens = tokens;
    this.#bounds = { ...BOUNDS, ...options.bounds };
    this.#rate = new RequestRate(this.#bounds.callersRate);
    this.#strangersRate = new RequestRate(this.#bounds.strangersRate);
    this.#room = new ConnectionRoom(this.#bounds.strangers);
    setMaxListeners(0, this.#closing.signal); // one for each open stream
  }

  /** @throws Error of the system (EADDRINUSE, ENOENT …), PluginError for an invalid file of tokens */
  static async start(options: AdminHttpOptions): Promise<AdminHttp> {
    const { tokensFile, logger } = options;
    const tokens = tokensFile === undefined ? undefined : await AdminTokens.open(tokensFile, logger);
    const http = new AdminHttp(options, tokens);
    try {
      await http.#listen();
    } catch (error) {
      tokens?.close();
      throw error;
    }
    return http;
  }

  /** `https://127.0.0.1:18080` */
  get address(): string {
    const { address, port, family } = this.#bound;
    const scheme = this.#options.tls === undefined ? "http" : "https";
    return `${scheme}://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#room.size;
  }

  /** Is the dashboard served? */
  get hasDashboard(): boolean {
    return this.#sessions !== undefined;
  }

  get #bound(): AddressInfo {
    const bound = this.#server?.address();
    if (typeof bound === "object" && bound !== null) return bound;
    return { address: "", port: this.#options.port, family: "IPv4" };
  }

  async close(): Promise<void> {
    clearInterval(this.#watch);
    this.#tokens?.close();
    this.#sessions?.close();
    const server = this.#server;
    if (server === undefined) return;
    this.#closing.abort();
    await closeServer(server);
  }

  async #listen(): Promise<void> {
    const { admin, tls, host, port, dashboard } = this.#options;
    const { slowestReader } = this.#bounds;
    const files = dashboard === undefined ? undefined : await DashboardFiles.read(dashboard);
    if (files !== undefined) this.#sessions = new PageSessions(() => this.#bound.port, tls !== undefined);
    const login = this.#sessions && this.#loginOptions(this.#sessions);
    const handler = createHandler({
      admin,
      identify: (request) => {
        const principal = this.#identify(request);
        if (principal !== undefined) this.#room.isKnown(request.socket);
        return principal;
      },
      admitStranger: ({ socket }) => this.#strangersRate.take(socket.remoteAddress ?? "", Date.now()),
      ...(slowestReader === undefined ? {} : { slowestReader }),
      isForUs: (name) => this.#isForUs(name),
      // Without tokens, Prometheus on the same machine may read metrics.
      openMetrics: this.#tokens === undefined,
      ...(files === undefined || login === undefined ? {} : { dashboard: { files, login } }),
      closing: this.#closing.signal,
    });
    const { headerBytes, headersTimeout, requestTimeout, keepAliveTimeout, checkInterval } = this.#bounds;
    const bounds = {
      maxHeaderSize: headerBytes,
      headersTimeout,
      requestTimeout,
      keepAliveTimeout,
      connectionsCheckingInterval: checkInterval,
    };
    const server =
      tls === undefined
        ? createServer(bounds, handler)
        : createTlsServer(
            {
              ...bounds,
              ...(await this.#material(tls)),
              minVersion: "TLSv1.2",
              handshakeTimeout: headersTimeout,
            },
            handler,
          );
    server.maxConnections = this.#bounds.connections;
    server.maxRequestsPerSocket = 1_000;
    server.on("connection", (socket: Socket) => this.#room.opened(socket));
    // What is expected is not looked at: the answer says what is wrong.
    server.on("checkExpectation", handler);
    server.on("clientError", (_error, socket) => socket.destroy());
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    server.on("error", (error) => this.#options.logger.error({ err: error }, "the admin API has trouble"));
    if (tls !== undefined) this.#watchCertificate(server as TlsServer, tls);
  }

  #identify(request: IncomingMessage): Principal | undefined {
    const address = request.socket.remoteAddress ?? "";
    const now = Date.now();
    const { authorization } = request.headers;
    const page = authorization === undefined ? this.#sessions?.find(request, now) : undefined;
    if (page !== undefined) {
      this.#rate.take(page.caller.who, now);
      return { ...page.caller, address, session: page.session };
    }
    this.#failures.check(address, now);
    if (this.#tokens === undefined) {
      const anybody = this.#anybody();
      this.#rate.take(address, now);
      return { ...anybody, address };
    }
    const token = /^Bearer ([!-~]{1,256})$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return undefined;
    const found = this.#callerOf(this.#tokens, token, address, now);
    this.#rate.take(found.who, now);
    return { ...found, address };
  }

  /** @throws AdminError unauthorized */
  #callerOf(tokens: AdminTokens, token: string, address: string, now: number): Omit<Principal, "address"> {
    const found = tokens.find(token, now);
    if (found !== undefined) return found;
    this.#failures.failed(address, now);
    this.#options.logger.warn({ address }, "a token of the admin API does not count");
    throw new AdminError("unauthorized", "the token does not count");
  }

  /** @throws AdminError unauthorized */
  #anybody(): Omit<Principal, "address"> {
    if (this.#options.insecure === true) return { role: "admin", who: "anybody" };
    throw new AdminError("unauthorized", "no tokens are configured here (admin.tokens_file)");
  }

  #loginOptions(sessions: PageSessions): PageLoginOptions {
    const tokens = this.#tokens;
    return {
      sessions,
      access: tokens !== undefined ? "token" : this.#options.insecure === true ? "open" : "closed",
      identify: (request, token) => {
        const address = request.socket.remoteAddress ?? "";
        const now = Date.now();
        this.#failures.check(address, now);
        if (tokens === undefined) {
          const anybody = this.#anybody();
          return { who: anybody.who, recheck: () => anybody };
        }
        const { who } = this.#callerOf(tokens, token, address, now);
        return { who, recheck: tokens.recheck(token) };
      },
      signedIn: (who, { socket }) => {
        this.#options.logger.info({ who, address: socket.remoteAddress ?? "" }, "somebody signed in at the dashboard");
      },
    };
  }

  #isForUs(name: string | undefined): boolean {
    if (name === undefined) return false;
    const { port } = this.#bound;
    const { host, hosts = [] } = this.#options;
    const known = ["localhost", "127.0.0.1", "[::1]", ...hosts];
    if (host !== undefined) known.push(host.includes(":") ? `[${host}]` : host);
    const lower = name.toLowerCase();
    return known.some((one) => lower === one.toLowerCase() || lower === `${one.toLowerCase()}:${port}`);
  }

  async #material({ certificateFile, keyFile, keyPassphrase }: NonNullable<AdminHttpOptions["tls"]>) {
    const [cert, key] = await Promise.all([readFile(certificateFile), readFile(keyFile)]);
    this.#seen = await stampOf(certificateFile, keyFile);
    return { cert, key, ...(keyPassphrase === undefined ? {} : { passphrase: keyPassphrase }) };
  }

  #watchCertificate(server: TlsServer, tls: NonNullable<AdminHttpOptions["tls"]>): void {
    const look = async (): Promise<void> => {
      const stamp = await stampOf(tls.certificateFile, tls.keyFile);
      if (stamp === this.#seen) return;
      this.#seen = stamp;
      server.setSecureContext(await this.#material(tls));
    };
    this.#watch = setInterval(() => {
      look().catch((error: unknown) => {
        this.#options.logger.warn({ err: error }, "the certificate of the admin API stays as it was");
      });
    }, CERTIFICATE_INTERVAL);
    this.#watch.unref();
  }
}

async function stampOf(...files: readonly string[]): Promise<string> {
  const marks = files.map(async (file) => {
    const at = await stat(file).catch(() => undefined);
    return at === undefined ? "-" : `${at.ino}:${at.mtimeMs}:${at.size}`;
  });
  return (await Promise.all(marks)).join();
}
