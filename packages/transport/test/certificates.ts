// Certificates and revocation lists made on the spot.
// The certificate library wants the polyfill before itself.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const notBefore = new Date("2020-01-01");
const notAfter = new Date("2049-01-01");
let serial = 1;

/** With the final newline, so that texts can be joined, and OpenSSL's label for revocation lists. */
function pem(data: { toString(format: "pem"): string }): string {
  return `${data.toString("pem").replace(/-----(BEGIN|END) CRL-----/g, "-----$1 X509 CRL-----")}\n`;
}

export interface Issued {
  cert: string;
  key: string;
  serial: string;
}

interface Wish {
  name: string;
  names?: x509.JsonGeneralNames;
  ca?: boolean;
}

export class Authority implements Issued {
  readonly cert: string;
  readonly key: string;
  readonly serial: string;
  private readonly certificate: x509.X509Certificate;
  private readonly keys: webcrypto.CryptoKeyPair;

  private constructor(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair, key: string) {
    this.certificate = certificate;
    this.keys = keys;
    this.cert = pem(certificate);
    this.key = key;
    this.serial = certificate.serialNumber;
  }

  static async root(name: string): Promise<Authority> {
    const { certificate, keys, key } = await issue({ name, ca: true }, undefined);
    return new Authority(certificate, keys, key);
  }

  async authority(name: string): Promise<Authority> {
    const { certificate, keys, key } = await issue({ name, ca: true }, this.signer());
    return new Authority(certificate, keys, key);
  }

  async issue(wish: Wish): Promise<Issued> {
    const { certificate, key } = await issue(wish, this.signer());
    return { cert: pem(certificate), key, serial: certificate.serialNumber };
  }

  async revoke(...serials: string[]): Promise<string> {
    const list = await x509.X509CrlGenerator.create({
      issuer: this.certificate.subjectName,
      thisUpdate: notBefore,
      nextUpdate: notAfter,
      signingAlgorithm: algorithm,
      signingKey: this.keys.privateKey,
      entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: notBefore })),
    });
    return pem(list);
  }

  private signer(): { issuer: x509.Name; key: webcrypto.CryptoKey } {
    return { issuer: this.certificate.subjectName, key: this.keys.privateKey };
  }
}

async function issue(
  wish: Wish,
  signer: { issuer: x509.Name; key: webcrypto.CryptoKey } | undefined,
): Promise<{ certificate: x509.X509Certificate; keys: webcrypto.CryptoKeyPair; key: string }> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const subject = new x509.Name(wish.name);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: (++serial).toString(16).padStart(4, "0"),
    subject: subject.toString(),
    issuer: (signer?.issuer ?? subject).toString(),
    notBefore,
    notAfter,
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: signer?.key ?? keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(wish.ca === true, undefined, true),
      ...(wish.ca === true
        ? [new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true)]
        : []),
      ...(wish.names === undefined ? [] : [new x509.SubjectAlternativeNameExtension(wish.names)]),
    ],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const key = `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{64}/g, "$&\n")}\n-----END PRIVATE KEY-----\n`;
  return { certificate, keys, key };
}
