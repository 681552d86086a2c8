// The certificates of one TLS or wss listener over time: looked at for change, told of when they changed, and warned of
// before they end. What is in force is always whole: a broken replacement changes nothing.
import type { SecureContext } from "node:tls";
import { ListenerError, messageOf } from "../errors.ts";
import type { TlsConfig } from "../listener-config.ts";
import type { Credential, CredentialKind } from "./credentials.ts";
import { loadTls, type TlsMaterial } from "./tls-material.ts";

const DEFAULT_WATCH_MS = 10_000;
const DAY_MS = 24 * 60 * 60 * 1000;
const WARN_DAYS = 14;

/** Something that whoever runs the listener wants to know of a certificate or revocation list. */
export interface CertificateNotice {
  /** `changed`: this one was read in place of another and is in force now; `ends`: in less than 14 days, or it has; once a day. */
  readonly what: "changed" | "ends";
  readonly kind: CredentialKind;
  /** `CN=mqtt.example, O=Example`; of a revocation list, who made it. */
  readonly subject: string;
  /** Until when it counts; undefined: it does not say. */
  readonly end: Date | undefined;
  /** undefined: it was given as a text. */
  readonly file: string | undefined;
}

export type OnCertificate = ((notice: CertificateNotice) => void) | undefined;

/** What a listener shows and believes at one time. */
export class TlsIdentity {
  readonly config: TlsConfig;
  readonly material: TlsMaterial;

  private constructor(config: TlsConfig, material: TlsMaterial) {
    this.config = config;
    this.material = material;
  }

  /** Rejects with a ListenerError. */
  static async load(config: TlsConfig): Promise<TlsIdentity> {
    return new TlsIdentity(config, await loadTls(config));
  }

  /** The context for a server name (SNI). undefined: that of the first certificate. */
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
  /** How bad files looked of which it was said: they are complained of once. */
  private bad = "";
  /** When it was last said of one that it ends, by its fingerprint. */
  private readonly warned = new Map<string, number>();

  /** @param reload reads the files again, and tells this watch with `use` */
  constructor(
    reload: () => Promise<void>,
    { onError, onCertificate }: { onError?: ((error: Error) => void) | undefined; onCertificate?: OnCertificate },
  ) {
    this.reload = reload;
    this.onError = onError;
    this.onCertificate = onCertificate;
  }

  /** These are in force from now on. */
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

  /** A timer, not inotify: certificates often change by a symbolic link's new target. */
  private schedule(): void {
    const { current } = this;
    const interval = current?.config.watchIntervalMs ?? DEFAULT_WATCH_MS;
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
      // Half-written files change again, and one complaint per change is enough.
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
      // A timer may come a little early.
      if (now - (this.warned.get(fingerprint) ?? Number.NEGATIVE_INFINITY) < DAY_MS - 60_000) continue;
      this.warned.set(fingerprint, now);
      this.tell("ends", credential);
    }
  }

  private tell(what: "changed" | "ends", { kind, subject, end, file }: Credential): void {
    this.onCertificate?.({ what, kind, subject, end, file });
  }
}
