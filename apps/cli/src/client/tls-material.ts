// Certificates and keys of `wrenmq pub` and `wrenmq sub`. They are checked here, with the name of the file in the
// message: Node's TLS ignores some errors, and reports others without the place.
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readText } from "../at-file.ts";
import { CommandError, UsageError } from "../errors.ts";
import type { ClientConfig } from "./client-config.ts";
import type { ClientOptions } from "./client-options.ts";

export interface TlsMaterial {
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
}

const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END/g;

/** @throws CommandError, UsageError; Error of `node:fs` with its path */
export function tlsMaterial(given: ClientOptions, { connection }: ClientConfig): TlsMaterial {
  const ca = authorities(given, connection);
  return { ...(ca.length > 0 ? { ca } : {}), ...ownCertificate(given, connection) };
}

function authorities(given: ClientOptions, connection: ClientConfig["connection"]): string[] {
  const file = given.caFile ?? connection.cafile;
  const folder = given.caPath ?? connection.capath;
  const data = given.caData ?? connection.cadata;
  const found: string[] = [];
  if (file !== undefined) found.push(certificates("--ca-file", file, readText(file)));
  if (folder !== undefined) {
    const names = readdirSync(folder).filter((name) => /\.(pem|crt|cer)$|\.\d$/.test(name));
    if (names.length === 0) throw new CommandError(`--ca-path ${folder}: there are no certificates in it`);
    for (const path of names.map((name) => join(folder, name)))
      found.push(certificates("--ca-path", path, readText(path)));
  }
  if (data !== undefined) found.push(certificates("--ca-data", "", data));
  return found;
}

function ownCertificate(given: ClientOptions, connection: ClientConfig["connection"]): TlsMaterial {
  const certFile = given.certFile ?? connection.certfile;
  const keyFile = given.keyFile ?? connection.keyfile;
  if (certFile === undefined && keyFile === undefined) return {};
  if (certFile === undefined || keyFile === undefined) throw new UsageError("--cert-file and --key-file go together");
  const cert = certificates("--cert-file", certFile, readText(certFile));
  const key = readText(keyFile);
  if (!new X509Certificate(cert).checkPrivateKey(privateKey(keyFile, key))) {
    throw new CommandError(`--key-file ${keyFile}: this key does not belong to the certificate in ${certFile}`);
  }
  return { cert, key };
}

/** The text of a file of which every certificate can be parsed. */
function certificates(option: string, file: string, text: string): string {
  const found = text.match(CERTIFICATE) ?? [];
  const place = file === "" ? option : `${option} ${file}`;
  if (found.length === 0) throw new CommandError(`${place}: there is no certificate in it (PEM)`);
  for (const [index, pem] of found.entries()) {
    try {
      new X509Certificate(`${pem} CERTIFICATE-----`);
    } catch (error) {
      const which = found.length === 1 ? "the certificate" : `certificate ${index + 1}`;
      throw new CommandError(`${place}: ${which} in it cannot be read`, { cause: error });
    }
  }
  return text;
}

function privateKey(file: string, text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (error) {
    const reason = /ENCRYPTED/.test(text)
      ? "the key is encrypted, which is not supported"
      : "there is no private key in it (PEM)";
    throw new CommandError(`--key-file ${file}: ${reason}`, { cause: error });
  }
}
