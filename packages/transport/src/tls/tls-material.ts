// Makes secure contexts of TLS options and finds everything that is wrong with them; each problem names its key and
// file. Both the start of a listener and `checkTls` use it, so that they cannot disagree.
import { constants, hash, randomBytes, type X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { ListenerError } from "../errors.ts";
import { DEFAULT_SESSION_MS, type PemSource, type TlsCertificate, type TlsConfig } from "../listener-config.ts";
import {
  type Credential,
  CredentialError,
  certificatesIn,
  credentialOf,
  opensslReason,
  privateKeyIn,
  revocationListsIn,
  someCertificatesIn,
} from "./credentials.ts";
import { PemFiles, type PemText } from "./pem-files.ts";
import { SHORTEST_SECRET, TicketKeys } from "./ticket-keys.ts";

/** TLS 1.3 allows no more. [RFC 8446, 4.6.1] */
const LONGEST_SESSION_MS = 7 * 24 * 60 * 60 * 1000;
/** Without a secret in the configuration tickets count for this process, or for those that were given the same one. */
const ofThisProcess: Uint8Array = randomBytes(SHORTEST_SECRET);

const NO_AUTHORITY = "there is no authority to check clients' certificates with (ca or caPath)";

export interface TlsMaterial {
  /** For `createServer`, with the first certificate. */
  readonly options: SecureContextOptions;
  /** The same, for connections without sockets. */
  readonly context: SecureContext;
  /** Contexts by server name in lower case, with `*.` for wildcards. */
  readonly byName: ReadonlyMap<string, SecureContext>;
  readonly credentials: readonly Credential[];
  /** All files that were read, to check them for changes. */
  readonly files: PemFiles;
  readonly tickets: TicketKeys | undefined;
}

/** Rejects with the first problem: ERR_LISTENER_FILE (unreadable), ERR_LISTENER_TLS (readable but wrong) or ERR_LISTENER_CONFIG. */
export async function loadTls(config: TlsConfig, secret?: Uint8Array): Promise<TlsMaterial> {
  const reader = new MaterialReader(config, secret);
  const material = await reader.read();
  const [problem] = reader.problems;
  if (problem !== undefined) throw problem;
  return material;
}

export interface TlsCheck {
  /** All that would keep a listener with these options from starting. */
  readonly problems: readonly ListenerError[];
  /** With their option keys, for their dates. */
  readonly credentials: readonly (Credential & { readonly key: string })[];
}

/** Reads all files that a TLS listener with these options would read. Opens nothing. */
export async function checkTls(config: TlsConfig): Promise<TlsCheck> {
  const reader = new MaterialReader(config);
  await reader.read();
  return { problems: reader.problems, credentials: reader.credentials };
}

class MaterialReader {
  readonly problems: ListenerError[] = [];
  readonly credentials: (Credential & { readonly key: string })[] = [];
  private readonly config: TlsConfig;
  private readonly files = new PemFiles();

  private readonly secret: Uint8Array | undefined;

  /** @param secret of the session tickets, where the configuration names none */
  constructor(config: TlsConfig, secret?: Uint8Array) {
    this.config = config;
    this.secret = secret;
  }

  async read(): Promise<TlsMaterial> {
    const { certificates } = this.config;
    if (certificates.length === 0) this.wrong("tls.certificates", "at least one is needed");
    const common = await this.commonOptions();
    const pairs: { readonly names: readonly string[]; readonly own: SecureContextOptions }[] = [];
    for (const [index, certificate] of certificates.entries()) {
      const own = await this.certificateOptions(certificate, `tls.certificates[${index}]`);
      if (own !== undefined) pairs.push({ names: certificate.servernames ?? [], own });
    }
    const tickets = await this.ticketKeys(common, pairs);
    const sessions = this.sessionOptions(tickets);
    const byName = new Map<string, SecureContext>();
    const { problems, credentials, files } = this;
    const options = { ...common, ...pairs[0]?.own, ...sessions };
    // With a problem nothing is made of it.
    const made = (problems.length > 0 ? [] : pairs).map(({ names, own }, index) => {
      const context = this.contextOf({ ...common, ...own, ...sessions }, `tls.certificates[${index}]`);
      if (context !== undefined) for (const name of names) byName.set(name.toLowerCase(), context);
      return context;
    });
    return { options, context: made[0] ?? createSecureContext(), byName, credentials, files, tickets };
  }

  private async ticketKeys(
    common: SecureContextOptions,
    pairs: readonly { readonly own: SecureContextOptions }[],
  ): Promise<TicketKeys | undefined> {
    const {
      sessionLifetime = DEFAULT_SESSION_MS,
      sessionKeyFile,
      requestCertificate,
      requireCertificate,
      alpn,
    } = this.config;
    let secret = this.secret ?? ofThisProcess;
    if (sessionKeyFile !== undefined) {
      const key = "tls.sessionKeyFile";
      await this.attempt(key, async () => {
        secret = Buffer.from((await this.files.read(sessionKeyFile, key)).text, "latin1");
        if (secret.length >= SHORTEST_SECRET) return;
        throw new CredentialError(`${sessionKeyFile}: expected at least ${SHORTEST_SECRET} random bytes`);
      });
    }
    if (sessionLifetime === 0) return undefined;
    const certificates = pairs.map(({ own }) => own.cert);
    // Whatever decides about a client: a ticket of other rules does not count.
    const rules = JSON.stringify([common, certificates, requestCertificate, requireCertificate, alpn]);
    const ends = this.credentials.flatMap(({ kind, end }) =>
      kind === "certificate" || end === undefined ? [] : [end.getTime()],
    );
    return new TicketKeys({
      secret,
      scope: hash("sha256", rules),
      lifetime: Math.min(sessionLifetime, LONGEST_SESSION_MS),
      ends,
    });
  }

  private sessionOptions(tickets: TicketKeys | undefined): SecureContextOptions {
    // As Node's servers have it.
    const options = { honorCipherOrder: true };
    if (tickets === undefined) return { ...options, secureOptions: constants.SSL_OP_NO_TICKET };
    return {
      ...options,
      // OpenSSL resumes no session of another context; the keys already say all that matters.
      sessionIdContext: "wrenmq",
      sessionTimeout: Math.ceil(tickets.lifetime / 1000),
      ticketKeys: tickets.current(Date.now()).all,
    };
  }

  private async commonOptions(): Promise<SecureContextOptions> {
    const { minVersion = "TLSv1.2", maxVersion, ciphers, requireCertificate, requestCertificate } = this.config;
    const options: SecureContextOptions = { minVersion };
    if (maxVersion !== undefined) options.maxVersion = maxVersion;
    if (maxVersion !== undefined && maxVersion < minVersion) {
      this.wrong("tls.maxVersion", `${maxVersion} is older than ${minVersion}, the minimum`);
    } else if (ciphers !== undefined) {
      options.ciphers = ciphers;
      this.contextOf(options, "tls.ciphers");
    }
    const ca = [...(await this.authorities()), ...(await this.authoritiesOfFolder())];
    if (ca.length > 0) options.ca = ca;
    else if ((requireCertificate === true || requestCertificate === true) && !this.namesAuthorities) {
      const key = requireCertificate === true ? "tls.requireCertificate" : "tls.requestCertificate";
      // Node would use the public CAs, from which anyone can get a certificate.
      this.wrong(key, NO_AUTHORITY);
    }
    const crl = await this.revocationLists();
    if (crl.length > 0) options.crl = crl;
    return options;
  }

  private get namesAuthorities(): boolean {
    const { ca, caPath } = this.config;
    return caPath !== undefined || sourcesOf(ca).length > 0;
  }

  private async authorities(): Promise<string[]> {
    const found: string[] = [];
    for (const [key, source] of keyed("tls.ca", this.config.ca)) {
      await this.attempt(key, async () => {
        const pem = await this.files.read(source, key);
        found.push(pem.text);
        this.keep("authority", someCertificatesIn(pem), pem, key);
      });
    }
    return found;
  }

  private async authoritiesOfFolder(): Promise<string[]> {
    const { caPath } = this.config;
    const found: string[] = [];
    if (caPath === undefined) return found;
    const key = "tls.caPath";
    await this.attempt(key, async () => {
      for (const pem of await this.files.readFolder(caPath, key)) {
        // The folder may contain other files.
        const certificates = certificatesIn(pem);
        if (certificates.length === 0) continue;
        found.push(pem.text);
        this.keep("authority", certificates, pem, key);
      }
      if (found.length === 0) {
        throw new CredentialError(`there is no certificate (*.pem, *.crt, *.cer) in the folder ${caPath}`);
      }
    });
    return found;
  }

  private async revocationLists(): Promise<string[]> {
    const found: string[] = [];
    for (const [key, source] of keyed("tls.crl", this.config.crl)) {
      await this.attempt(key, async () => {
        const pem = await this.files.read(source, key);
        for (const { text, credential } of revocationListsIn(pem)) {
          this.contextOf({ crl: text }, key, pem);
          found.push(text);
          this.credentials.push({ ...credential, key });
        }
      });
    }
    return found;
  }

  private async certificateOptions(given: TlsCertificate, key: string): Promise<SecureContextOptions | undefined> {
    const { cert, key: privateKey, passphrase } = given;
    const shown = await this.attempt(`${key}.cert`, async () => {
      const pem = await this.files.read(cert, `${key}.cert`);
      const chain = someCertificatesIn(pem);
      this.keep("certificate", chain, pem, `${key}.cert`);
      return { pem, first: chain[0] as X509Certificate };
    });
    const secret = await this.attempt(`${key}.key`, async () => {
      const pem = await this.files.read(privateKey, `${key}.key`);
      return { pem, key: privateKeyIn(pem, passphrase) };
    });
    if (shown === undefined || secret === undefined) return undefined;
    if (!shown.first.checkPrivateKey(secret.key)) {
      this.wrong(
        `${key}.key`,
        `the key${of(secret.pem)} does not belong to the certificate${of(shown.pem)}`,
        "ERR_LISTENER_TLS",
      );
      return undefined;
    }
    const options: SecureContextOptions = { cert: shown.pem.text, key: secret.pem.text };
    if (passphrase !== undefined) options.passphrase = passphrase;
    return this.contextOf(options, `${key}.cert`, shown.pem) === undefined ? undefined : options;
  }

  private keep(kind: "certificate" | "authority", certificates: X509Certificate[], pem: PemText, key: string): void {
    for (const certificate of certificates) this.credentials.push({ ...credentialOf(kind, certificate, pem), key });
  }

  /** Finds what OpenSSL reports itself: unknown ciphers, keys that are too short. */
  private contextOf(options: SecureContextOptions, key: string, pem?: PemText): SecureContext | undefined {
    try {
      return createSecureContext(options);
    } catch (cause) {
      const file = pem?.file === undefined ? "" : `${pem.file}: `;
      this.problems.push(new ListenerError("ERR_LISTENER_TLS", file + opensslReason(cause), cause, key));
      return undefined;
    }
  }

  private async attempt<T>(key: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof CredentialError) this.wrong(key, error.message, "ERR_LISTENER_TLS", error);
      else if (error instanceof ListenerError) this.problems.push(error);
      else throw error;
      return undefined;
    }
  }

  private wrong(
    key: string,
    reason: string,
    code: "ERR_LISTENER_CONFIG" | "ERR_LISTENER_TLS" = "ERR_LISTENER_CONFIG",
    cause?: unknown,
  ): void {
    this.problems.push(new ListenerError(code, reason, cause, key));
  }
}

const of = ({ file }: PemText): string => (file === undefined ? "" : ` in ${file}`);

function sourcesOf(sources: PemSource | readonly PemSource[] | undefined): readonly PemSource[] {
  if (sources === undefined) return [];
  return typeof sources === "string" || sources instanceof Uint8Array ? [sources] : sources;
}

function keyed(key: string, sources: PemSource | readonly PemSource[] | undefined): [string, PemSource][] {
  const isOne = typeof sources === "string" || sources instanceof Uint8Array;
  return sourcesOf(sources).map((source, index) => [isOne ? key : `${key}[${index}]`, source]);
}
