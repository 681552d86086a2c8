// Reads certificates, keys, CAs and revocation lists; every error names the key of the configuration and the file.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { ListenerError, messageOf, systemCode } from "../errors.ts";
import type { PemSource, TlsConfig } from "../listener-config.ts";

/** By ending, or by the names that OpenSSL's c_rehash makes (`9d66eef0.0`). */
const CA_FILE = /\.(pem|crt|cer)$|^[0-9a-f]{8}\.\d+$/;

export interface TlsMaterial {
  /** For `createServer` and `setSecureContext`: the first certificate. */
  readonly options: SecureContextOptions;
  /** Server name in lower case, perhaps `*.…`, to its context. */
  readonly byName: ReadonlyMap<string, SecureContext>;
  /** Everything that was read, to watch it. */
  readonly files: readonly string[];
}

/** Rejects with ERR_LISTENER_FILE (unreadable), ERR_LISTENER_TLS (readable but wrong) or ERR_LISTENER_CONFIG. */
export async function loadTls(config: TlsConfig): Promise<TlsMaterial> {
  const [first] = config.certificates;
  if (first === undefined) throw new ListenerError("ERR_LISTENER_CONFIG", "tls.certificates: at least one is needed");
  const reader = new PemReader();
  const common = await commonOptions(config, reader);
  const byName = new Map<string, SecureContext>();
  let options: SecureContextOptions = common;
  for (const [index, certificate] of config.certificates.entries()) {
    const key = `tls.certificates[${index}]`;
    const own: SecureContextOptions = {
      ...common,
      cert: await reader.read(certificate.cert, `${key}.cert`),
      key: await reader.read(certificate.key, `${key}.key`),
    };
    if (certificate.passphrase !== undefined) own.passphrase = certificate.passphrase;
    const context = secureContext(own, key);
    if (index === 0) options = own;
    for (const name of certificate.servernames ?? []) byName.set(name.toLowerCase(), context);
  }
  return { options, byName, files: reader.files };
}

async function commonOptions(config: TlsConfig, reader: PemReader): Promise<SecureContextOptions> {
  const options: SecureContextOptions = { minVersion: config.minVersion ?? "TLSv1.2" };
  if (config.maxVersion !== undefined) options.maxVersion = config.maxVersion;
  if (config.ciphers !== undefined) options.ciphers = config.ciphers;
  const ca = await reader.readAll(config.ca, "tls.ca");
  if (config.caPath !== undefined) ca.push(...(await reader.readDirectory(config.caPath, "tls.caPath")));
  if (ca.length > 0) {
    options.ca = ca;
    secureContext({ ca }, "tls.ca");
  }
  if (ca.length === 0 && (config.requireCertificate === true || config.requestCertificate === true)) {
    // Node would fall back to the public CAs: anyone can get a certificate from those.
    throw new ListenerError("ERR_LISTENER_CONFIG", "tls.ca or tls.caPath is needed to check clients' certificates");
  }
  const crl = (await reader.readAll(config.crl, "tls.crl")).flatMap(splitCrls);
  if (crl.length > 0) {
    options.crl = crl;
    secureContext({ crl }, "tls.crl");
  }
  return options;
}

/** Node reads only the first revocation list of a text, so a chain of several CAs needs them apart. */
function splitCrls(pem: string): string[] {
  return pem.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g) ?? [pem];
}

function secureContext(options: SecureContextOptions, key: string): SecureContext {
  try {
    return createSecureContext(options);
  } catch (cause) {
    throw new ListenerError("ERR_LISTENER_TLS", `${key}: ${messageOf(cause)}`, cause);
  }
}

class PemReader {
  readonly files: string[] = [];

  async readAll(sources: PemSource | readonly PemSource[] | undefined, key: string): Promise<string[]> {
    if (sources === undefined) return [];
    if (typeof sources === "string" || sources instanceof Uint8Array) return [await this.read(sources, key)];
    return Promise.all(sources.map((source, index) => this.read(source, `${key}[${index}]`)));
  }

  async read(source: PemSource, key: string): Promise<string> {
    if (typeof source !== "string") return Buffer.from(source).toString("latin1");
    if (source.includes("-----BEGIN")) return source;
    this.files.push(source);
    try {
      return await readFile(source, "latin1");
    } catch (cause) {
      throw unreadable(key, source, cause);
    }
  }

  async readDirectory(path: string, key: string): Promise<string[]> {
    this.files.push(path);
    const names = await readdir(path).catch((cause: unknown) => {
      throw unreadable(key, path, cause);
    });
    const wanted = names.filter((name) => CA_FILE.test(name)).sort();
    return Promise.all(wanted.map((name) => this.read(join(path, name), key)));
  }
}

function unreadable(key: string, path: string, cause: unknown): ListenerError {
  const code = systemCode(cause);
  const why = code === "ENOENT" ? "no such file" : code === "EACCES" ? "no permission to read it" : messageOf(cause);
  return new ListenerError("ERR_LISTENER_FILE", `${key}: ${path}: ${why}`, cause);
}
