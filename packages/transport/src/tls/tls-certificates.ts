// The certificates of one TLS or wss listener over time: checks the files for changes, reloads and reports them, and
// warns before they expire. What is in use is always complete: a broken replacement changes nothing.
import type { SecureContext } from "node:tls";
import { ListenerError, messageOf } from "../errors.ts";
import type { TlsConfig } from "../listener-config.ts";
import type { Credential, CredentialKind } from "./credentials.ts";
import { loadTls, type TlsMaterial } from "./tls-material.ts";

const DEFAULT_WATCH_MS = 10_000;
const DAY_MS = 24 * 60 * 60 * 1000;
const WARN_DAYS = 14;

/** A change of a certificate or revocation list that concerns the operator. */
export interface CertificateNotice {
  /**
   * `changed`: it has replaced another one and is in use now; `ends`: it expires within 14 days, or has expired;
   * reported once a day.
   */
  readonly what: "changed" | "ends";
  readonly kind: CredentialKind;
  /** `CN=mqtt.example, O=Example`; of a revocation list, its issuer. */
  readonly subject: string;
  /** End of its validity; undefined: it has none. */
  readonly end: Date | undefined;
  /** undefined: it was given as a text. */
  readonly file: string | undefined;
}

export type OnCertificate = ((notice: CertificateNotice) => void) | undefined;

/** The certificates, keys and authorities that a listener uses at one time. */
export class TlsIdentity {
  readonly config: TlsConfig;
  readonly material: TlsMaterial;

  private constructor(config: TlsConfig, material: TlsMaterial) {
    this.config = config;
    this.material = material;
  }

  /** Rejects with a ListenerError. */
  static async load(config: TlsConfig, ticketSecret?: Uint8Array): Promise<TlsIdentity> {
    return new TlsIdentity(config, await loadTls(config, ticketSecret));
  }

  /** The context for a server name (SNI); undefined: that of the first certificate. */
  contextFor(name: string): SecureContext | undefined {
    const { byName } = this.material;
    const wanted = name.toLowerCase();
    const dot = wanted.indexOf(".");
    return byName.get(wanted) ?? (dot < 0 ? undefined : byName.get(`*${wanted.slice(dot)}`));
  }
}

export class CertificateWatch {
  private readonly reload: () => Promise<void>;
  private readonly onError: ((error: Error) => void) | undefined;
  private readonly onCertificate: OnCertificate;
  private current: TlsIdentity | undefined;
  private looking: NodeJS.Timeout | undefined;
  private daily: NodeJS.Timeout | undefined;
  /** State of the broken files that were reported last: each state is reported once. */
  private bad = "";
  /** When the expiry of each was reported last, by fingerprint. */
  private readonly warned = new Map<string, number>();

  /** @param reload reads the files again, and passes the result to `use` */
  constructor(
    reload: () => Promise<void>,
    { onError, onCertificate }: { onError?: ((error: Error) => void) | undefined; onCertificate?: OnCertificate },
  ) {
    this.reload = reload;
    this.onError = onError;
    this.onCertificate = onCertificate;
  }

  /** Puts these into use. */
  use(identity: TlsIdentity): void {
    const before = this.current;
    this.current = identity;
    this.bad = "";
    const { credentials } = identity.material;
    if (before !== undefined) this.tellOfChanges(before.material.credentials, credentials);
    const known = new Set(credentials.map(({ fingerprint }) => fingerprint));
    for (const gone of [...this.warned.keys()].filter((one) => !known.has(one))) this.warned.delete(gone);
    this.warn();
    this.daily ??= setInterval(() => this.warn(), DAY_MS).unref();
    clearTimeout(this.looking);
    this.schedule();
  }

  stop(): void {
    clearTimeout(this.looking);
    clearInterval(this.daily);
    this.daily = undefined;
    this.current = undefined;
  }

  /** Polls instead of inotify: certificates are often replaced by changing the target of a symbolic link. */
  private schedule(): void {
    const { current } = this;
    const interval = current?.config.watchInterval ?? DEFAULT_WATCH_MS;
    if (current === undefined || interval === 0 || current.material.files.looks.size === 0) return;
    this.looking = setTimeout(() => {
      void this.look(current).finally(() => {
        if (this.current === current) this.schedule();
      });
    }, interval).unref();
  }

  private async look(of: TlsIdentity): Promise<void> {
    const { files } = of.material;
    if (!(await files.haveChanged())) return;
    const now = await files.now();
    if (now === this.bad || this.current !== of) return;
    try {
      await this.reload();
    } catch (cause) {
      // A half-written file will change again, and one report per change is enough.
      this.bad = now;
      const text = `certificates not reloaded: ${messageOf(cause)}`;
      this.onError?.(new ListenerError(cause instanceof ListenerError ? cause.code : "ERR_LISTENER_TLS", text, cause));
    }
  }

  private tellOfChanges(before: readonly Credential[], after: readonly Credential[]): void {
    const known = new Set(before.map(({ fingerprint }) => fingerprint));
    for (const credential of after) {
      if (known.has(credential.fingerprint)) continue;
      known.add(credential.fingerprint);
      this.tell("changed", credential);
    }
  }

  private warn(): void {
    const now = Date.now();
    for (const credential of this.current?.material.credentials ?? []) {
      const { end, fingerprint } = credential;
      if (end === undefined || end.getTime() - now >= WARN_DAYS * DAY_MS) continue;
      // A timer may fire slightly early.
      if (now - (this.warned.get(fingerprint) ?? Number.NEGATIVE_INFINITY) < DAY_MS - 60_000) continue;
      this.warned.set(fingerprint, now);
      this.tell("ends", credential);
    }
  }

  private tell(what: "changed" | "ends", { kind, subject, end, file }: Credential): void {
    this.onCertificate?.({ what, kind, subject, end, file });
  }
}
