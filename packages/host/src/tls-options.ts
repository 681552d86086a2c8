// Converts the TLS section of a listener to options of the transport, and keys of these options back to keys of the
// configuration, for errors.
import type { SniCertificate, TlsSection } from "@wrenmq/config";
import type { PemSource, TlsConfig } from "@wrenmq/transport";
import { defined } from "./defined.ts";

type PairOfFiles = Pick<TlsSection, "certificateFile" | "keyFile" | "keyPassphrase"> | SniCertificate;

export function tlsOf(tls: TlsSection): TlsConfig {
  const { caPath, crlFile, sni, watchFiles, ciphers, sessionLifetime, sessionKeyFile } = tls;
  const ca: PemSource[] = authorities(tls).map(({ source }) => source);
  return {
    certificates: [pairOf(tls), ...sni.map((one) => ({ ...pairOf(one), servernames: [one.serverName] }))],
    ...(ca.length > 0 ? { ca } : {}),
    ...defined({ caPath, crl: crlFile, ciphers, sessionKeyFile }),
    sessionLifetime,
    requestCertificate: tls.requestCertificate,
    requireCertificate: tls.requireCertificate,
    minVersion: tls.minimumVersion,
    ...(watchFiles ? {} : { watchInterval: 0 }),
  };
}

export function pairOf(pair: PairOfFiles): TlsConfig["certificates"][number] {
  const passphrase = "keyPassphrase" in pair ? pair.keyPassphrase : undefined;
  return { cert: pair.certificateFile, key: pair.keyFile, ...defined({ passphrase }) };
}

/** In the order in which they are the option `ca`. */
function authorities({ caFile, caData }: TlsSection): { readonly key: string; readonly source: PemSource }[] {
  const all = [
    { key: "ca_file", source: caFile },
    { key: "ca_data", source: caData },
  ];
  return all.flatMap(({ key, source }) => (source === undefined ? [] : [{ key, source }]));
}

const KEYS: Readonly<Record<string, string>> = {
  caPath: "ca_path",
  crl: "crl_file",
  ciphers: "ciphers",
  requestCertificate: "request_certificate",
  requireCertificate: "require_certificate",
  sessionKeyFile: "session_key_file",
};

/**
 * The path below `tls` of the key from which an option was made.
 *
 * @param option as in `ListenerError.key`: `tls.certificates[0].cert`
 */
export function tlsKey(option: string | undefined, tls: TlsSection | undefined): readonly string[] {
  const [, name = "", index = "0", part] = /^tls\.(\w+)(?:\[(\d+)\])?(?:\.(\w+))?$/.exec(option ?? "") ?? [];
  if (name === "ca" && tls !== undefined) return [authorities(tls)[Number(index)]?.key ?? "ca_file"];
  if (name !== "certificates") return KEYS[name] === undefined ? [] : [KEYS[name]];
  const key = part === "key" ? "key_file" : "certificate_file";
  return index === "0" ? [key] : ["sni", String(Number(index) - 1), key];
}
