// Certificates and revocation lists made with the `openssl` command, as the operators of listeners make theirs: also those
// that are expired, not valid yet, revoked or for another purpose.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CONFIG = `
[ca]
default_ca = this
[this]
dir = .
database = index.txt
serial = serial
crlnumber = crlnumber
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = optional
organizationName = optional
[req]
distinguished_name = empty
[empty]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
[client]
basicConstraints = CA:false
extendedKeyUsage = clientAuth
[server]
basicConstraints = CA:false
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
`;

export interface OpensslFiles {
  readonly cert: string;
  readonly key: string;
}

export interface OpensslWish {
  /** `client` by default. */
  readonly use?: "client" | "server";
  /** Days from now; 365 by default. */
  readonly until?: number;
  /** Days from now; -1 by default. */
  readonly from?: number;
}

/** `20260131120000Z`. */
function time(days: number): string {
  return `${new Date(Date.now() + days * 86_400_000).toISOString().replaceAll(/[-:T]|\.\d+Z/g, "")}Z`;
}

export class OpensslAuthority {
  readonly folder: string;
  /** Path of its certificate. */
  readonly cert: string;
  private made = 0;

  constructor(commonName: string) {
    this.folder = mkdtempSync(join(tmpdir(), "wrenmq-openssl-"));
    this.cert = join(this.folder, "ca.pem");
    writeFileSync(join(this.folder, "openssl.cnf"), CONFIG);
    writeFileSync(join(this.folder, "index.txt"), "");
    writeFileSync(join(this.folder, "serial"), "1000\n");
    writeFileSync(join(this.folder, "crlnumber"), "01\n");
    this.key("ca.key");
    const subject = ["-subj", `/CN=${commonName}`, "-days", "3650", "-extensions", "authority"];
    this.openssl("req", "-new", "-x509", "-key", "ca.key", "-out", "ca.pem", "-config", "openssl.cnf", ...subject);
  }

  /** `subject`: `/CN=device-1/O=Wren`. */
  issue(subject: string, { use = "client", from = -1, until = 365 }: OpensslWish = {}): OpensslFiles {
    const name = `leaf${++this.made}`;
    this.request(name, subject);
    const dates = ["-startdate", time(from), "-enddate", time(until)];
    const files = ["-in", `${name}.csr`, "-out", `${name}.pem`];
    this.openssl("ca", "-batch", "-config", "openssl.cnf", "-notext", "-extensions", use, ...dates, ...files);
    return this.files(name);
  }

  /** Signed by nobody else. */
  selfSigned(subject: string): OpensslFiles {
    const name = `self${++this.made}`;
    this.key(`${name}.key`);
    const wish = ["-subj", subject, "-days", "30", "-extensions", "client", "-config", "openssl.cnf"];
    this.openssl("req", "-new", "-x509", "-key", `${name}.key`, "-out", `${name}.pem`, ...wish);
    return this.files(name);
  }

  revoke({ cert }: OpensslFiles): void {
    this.openssl("ca", "-config", "openssl.cnf", "-revoke", cert);
  }

  /** Path of a list of what has been revoked, which counts for some days (negative: no more). */
  revocationList(days = 30): string {
    const path = join(this.folder, `crl${++this.made}.pem`);
    const dates = ["-crl_lastupdate", time(-60), "-crl_nextupdate", time(days)];
    this.openssl("ca", "-config", "openssl.cnf", "-gencrl", ...dates, "-out", path);
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private request(name: string, subject: string): void {
    this.key(`${name}.key`);
    const files = ["-key", `${name}.key`, "-out", `${name}.csr`];
    this.openssl("req", "-new", "-config", "openssl.cnf", "-subj", subject, ...files);
  }

  private key(name: string): void {
    this.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", name);
  }

  private files(name: string): OpensslFiles {
    return { cert: join(this.folder, `${name}.pem`), key: join(this.folder, `${name}.key`) };
  }

  private openssl(...words: string[]): void {
    execFileSync("openssl", words, { cwd: this.folder, stdio: ["ignore", "ignore", "pipe"] });
  }
}

/** The texts of both, for a client. */
export function identityOf({ cert, key }: OpensslFiles): { cert: string; key: string } {
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
}
