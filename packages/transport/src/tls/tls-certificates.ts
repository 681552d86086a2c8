// The certificates of one TLS or wss listener while it listens: chosen by SNI, replaced when their files change.
// Connections that are open keep the context they began with. A broken replacement changes nothing.
import { stat } from "node:fs/promises";
import type { SecureContext, Server, TlsOptions } from "node:tls";
import { ListenerError, messageOf } from "../errors.ts";
import type { TlsConfig } from "../listener-config.ts";
import { loadTls, type TlsMaterial } from "./tls-material.ts";

const DEFAULT_WATCH_MS = 10_000;
const DEFAULT_HANDSHAKE_MS = 10_000;

export class TlsCertificates {
  private readonly config: TlsConfig;
  private readonly onError: ((error: Error) => void) | undefined;
  private material: TlsMaterial;
  private server: Server | undefined;
  private timer: NodeJS.Timeout | undefined;
  private seen = "";

  private constructor(config: TlsConfig, material: TlsMaterial, onError: ((error: Error) => void) | undefined) {
    this.config = config;
    this.material = material;
    this.onError = onError;
  }

  /** Rejects with a ListenerError. */
  static async load(config: TlsConfig, onError: ((error: Error) => void) | undefined): Promise<TlsCertificates> {
    return new TlsCertificates(config, await loadTls(config), onError);
  }

  /** For `tls.createServer` and `https.createServer`. */
  serverOptions(): TlsOptions {
    const { config } = this;
    const options: TlsOptions = {
      ...this.material.options,
      requestCert: config.requireCertificate === true || config.requestCertificate === true,
      rejectUnauthorized: config.requireCertificate === true,
      handshakeTimeout: config.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_MS,
      // No context (undefined) means the default one.
      SNICallback: (name, done) => done(null, this.contextFor(name)),
    };
    if (config.alpn !== undefined) options.ALPNProtocols = [...config.alpn];
    return options;
  }

  async reload(): Promise<void> {
    const material = await loadTls(this.config);
    this.material = material;
    // A new context has new ticket keys: no session from before can be resumed past a new revocation list.
    this.server?.setSecureContext(material.options);
  }

  /** Looks at the files from time to time. A timer, not inotify: certificates often change by a symbolic link's new target. */
  async watch(server: Server): Promise<void> {
    this.server = server;
    const interval = this.config.watchIntervalMs ?? DEFAULT_WATCH_MS;
    if (interval === 0 || this.material.files.length === 0) return;
    this.seen = await this.look();
    this.schedule(interval);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.server = undefined;
  }

  private schedule(interval: number): void {
    this.timer = setTimeout(() => {
      void this.check().finally(() => {
        if (this.server !== undefined) this.schedule(interval);
      });
    }, interval).unref();
  }

  private async check(): Promise<void> {
    const now = await this.look();
    if (now === this.seen || this.server === undefined) return;
    // Remembered also if the reload fails: half-written files change again, and one complaint per change is enough.
    this.seen = now;
    try {
      await this.reload();
    } catch (cause) {
      const text = `certificates not reloaded: ${messageOf(cause)}`;
      this.onError?.(new ListenerError(cause instanceof ListenerError ? cause.code : "ERR_LISTENER_TLS", text, cause));
    }
  }

  private async look(): Promise<string> {
    const marks = this.material.files.map(async (path) => {
      const at = await stat(path).catch(() => undefined);
      return at === undefined ? "-" : `${at.ino}:${at.mtimeMs}:${at.size}`;
    });
    return (await Promise.all(marks)).join();
  }

  private contextFor(name: string): SecureContext | undefined {
    const wanted = name.toLowerCase();
    const dot = wanted.indexOf(".");
    return (
      this.material.byName.get(wanted) ?? (dot < 0 ? undefined : this.material.byName.get(`*${wanted.slice(dot)}`))
    );
  }
}
