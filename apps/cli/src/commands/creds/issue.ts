// Makes keys and certificates: a certificate authority, and certificates that it signs. The values are those of aMQTT's
// ca_creds, server_creds and device_creds.
import "reflect-metadata"; // the library below cannot be loaded without
import { createPrivateKey, randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { CommandError } from "../../errors.ts";

/** PEM. */
export interface Credentials {
  readonly certificate: string;
  readonly key: string;
}

export interface Subject {
  readonly country?: string;
  readonly state?: string;
  readonly locality?: string;
  readonly organization: string;
  readonly commonName: string;
}

export type AlternativeName = { readonly type: "dns" | "ip" | "url"; readonly value: string };

const DAY = 24 * 60 * 60 * 1000;
const AUTHORITY_DAYS = 3650;
const DAYS = 365;
/** Bits of an RSA key. */
const AUTHORITY_BITS = 4096;
const BITS = 2048;

/** The certificate of an authority. */
export async function issueAuthority(subject: Subject, bits: number = AUTHORITY_BITS): Promise<Credentials> {
  const keys = await newKeys(bits);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(AUTHORITY_DAYS),
    name: nameOf(subject),
    keys,
    signingAlgorithm: rsa(bits),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return pemOf(certificate, keys);
}

/** The certificate of a server with the host names and addresses in `names`. */
export async function issueServer(
  authority: Credentials,
  subject: Subject,
  names: readonly AlternativeName[],
): Promise<Credentials> {
  return issue(authority, subject, names, x509.ExtendedKeyUsage.serverAuth);
}

/** The certificate of a client. */
export async function issueDevice(
  authority: Credentials,
  subject: Subject,
  names: readonly AlternativeName[],
): Promise<Credentials> {
  return issue(authority, subject, names, x509.ExtendedKeyUsage.clientAuth);
}

async function issue(
  authority: Credentials,
  subject: Subject,
  names: readonly AlternativeName[],
  usage: x509.ExtendedKeyUsage,
): Promise<Credentials> {
  const issuer = readAuthority(authority);
  const keys = await newKeys(BITS);
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(DAYS),
    subject: nameOf(subject),
    issuer: issuer.certificate.subjectName,
    publicKey: keys.publicKey,
    signingKey: await issuer.signingKey(),
    signingAlgorithm: issuer.algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      new x509.SubjectAlternativeNameExtension(names.map((name) => ({ ...name }))),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.certificate.publicKey),
    ],
  });
  return pemOf(certificate, keys);
}

/** @throws CommandError when key or certificate cannot be used */
function readAuthority({ certificate, key }: Credentials) {
  const pem = usable("certificate", () => new x509.X509Certificate(certificate));
  const secret = usable("key", () => createPrivateKey(key));
  const der = secret.export({ type: "pkcs8", format: "der" });
  const curves: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };
  const curve = curves[secret.asymmetricKeyDetails?.namedCurve ?? ""];
  const algorithm =
    secret.asymmetricKeyType === "rsa"
      ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }
      : { name: "ECDSA", namedCurve: curve ?? "", hash: "SHA-256" };
  if (secret.asymmetricKeyType !== "rsa" && curve === undefined) {
    throw new CommandError("the authority cannot be used: its key is neither RSA nor ECDSA");
  }
  const signingKey = () => webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  return { certificate: pem, algorithm, signingKey };
}

function usable<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new CommandError(`the authority cannot be used: its ${what} cannot be read (PEM)`, { cause: error });
  }
}

function rsa(bits: number) {
  return {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: bits,
  };
}

async function newKeys(bits: number): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(rsa(bits), true, ["sign", "verify"]);
}

function validity(days: number) {
  const now = Date.now();
  // One minute earlier, for clocks that are slow.
  const notBefore = new Date(now - 60_000);
  // A positive number without leading zeros. [RFC 5280, 4.1.2.2]
  const serialNumber = `4${randomBytes(16).toString("hex").slice(1)}`;
  return { serialNumber, notBefore, notAfter: new Date(now + days * DAY) };
}

function nameOf({ country, state, locality, organization, commonName }: Subject): x509.JsonName {
  const parts = { C: country, ST: state, L: locality, O: organization, CN: commonName };
  return Object.entries(parts).flatMap(([key, value]) => (value === undefined ? [] : [{ [key]: [value] }]));
}

async function pemOf(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<Credentials> {
  const secret = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certificate: `${certificate.toString("pem")}\n`,
    key: `${x509.PemConverter.encode(secret, "PRIVATE KEY")}\n`,
  };
}
