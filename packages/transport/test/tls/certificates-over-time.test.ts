// What is said of certificates and revocation lists: that they changed, that they end soon, and what is wrong with them.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { type CertificateNotice, checkTls, createListener, type Listener, type TlsConfig } from "../../src/index.ts";
import { revocationListFacts } from "../../src/tls/der.ts";
import { PemFiles } from "../../src/tls/pem-files.ts";
import { identityOf, OpensslAuthority, type OpensslFiles } from "../openssl.ts";
import { echo, until } from "../support.ts";

const DAY = 86_400_000;
let ours: OpensslAuthority;
let good: OpensslFiles;
let folder: string;
beforeAll(() => {
  ours = new OpensslAuthority("Our authority");
  good = ours.issue("/CN=localhost/O=Wren", { use: "server" });
  folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
});
afterAll(() => {
  ours.remove();
  rmSync(folder, { recursive: true });
});

const listeners: Listener[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const listener of listeners.splice(0)) await listener.close();
});

interface Listening {
  readonly listener: Listener;
  readonly notices: CertificateNotice[];
  readonly errors: Error[];
}

async function listen(tls: Partial<TlsConfig>): Promise<Listening> {
  const notices: CertificateNotice[] = [];
  const errors: Error[] = [];
  const config: TlsConfig = { certificates: [good], watchInterval: 0, ...tls };
  const listener = createListener({ type: "tls", host: "127.0.0.1", port: 0, tls: config }, echo, {
    onCertificate: (notice) => notices.push(notice),
    onError: (error) => errors.push(error),
  });
  await listener.listen();
  listeners.push(listener);
  return { listener, notices, errors };
}

function copyTo(name: string, { cert, key }: OpensslFiles): OpensslFiles {
  const copies = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  copyFileSync(cert, copies.cert);
  copyFileSync(key, copies.key);
  return copies;
}

describe("one that has changed", () => {
  test("is told with its subject, its end and its file, when it is in force, and no other is", async () => {
    const files = copyTo("changing", good);
    const crl = join(folder, "changing.crl");
    copyFileSync(ours.revocationList(), crl);
    const { listener, notices } = await listen({ certificates: [files], ca: ours.cert, crl, watchInterval: 20 });
    await listener.reloadCertificates?.();
    expect(notices).toEqual([]);
    copyTo("changing", ours.issue("/CN=renewed/O=Wren", { use: "server", until: 100 }));
    await until(() => notices.length > 0);
    expect(notices).toEqual([
      { what: "changed", kind: "certificate", subject: "CN=renewed, O=Wren", end: expect.any(Date), file: files.cert },
    ]);
    expect(notices[0]?.end?.getTime()).toBeCloseTo(Date.now() + 100 * DAY, -6);
    const socket = connect({ port: listener.port!, host: "127.0.0.1", rejectUnauthorized: false });
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    expect(socket.getPeerCertificate().subject.CN).toBe("renewed");
    socket.destroy();
    copyFileSync(ours.revocationList(20), crl);
    await until(() => notices.length > 1);
    expect(notices.slice(1)).toEqual([
      { what: "changed", kind: "revocation list", subject: "CN=Our authority", end: expect.any(Date), file: crl },
    ]);
  });

  test("and cannot be read: the old one stays, it is said once, and the next good one is taken", async () => {
    const files = copyTo("broken", good);
    const { notices, errors } = await listen({ certificates: [files], watchInterval: 20 });
    writeFileSync(files.cert, "-----BEGIN CERTIFICATE-----\nbroken");
    await until(() => errors.length > 0);
    const looks = vi.spyOn(PemFiles.prototype, "haveChanged");
    onTestFinished(() => looks.mockRestore());
    await until(() => looks.mock.calls.length >= 10);
    expect(errors.map(({ message }) => message)).toEqual([
      `certificates not reloaded: tls.certificates[0].cert: certificate 1 in ${files.cert} cannot be read: it has no end`,
    ]);
    copyTo("broken", ours.issue("/CN=again", { use: "server" }));
    await until(() => notices.length > 0);
    expect(errors).toHaveLength(1);
  });
});

describe("one that ends within 14 days, or has ended", () => {
  test("is warned of when the listener starts, and once a day", async () => {
    vi.useFakeTimers({ toFake: ["Date", "setInterval", "clearInterval"], now: Date.now() });
    const soon = ours.issue("/CN=soon", { use: "server", until: 13.9 });
    const later = ours.issue("/CN=later", { use: "server", until: 15.5 });
    const crl = ours.revocationList(-1);
    const { listener, notices } = await listen({
      certificates: [soon, { ...later, servernames: ["later"] }],
      ca: ours.cert,
      crl,
    });
    const told = (): string[] => notices.splice(0).map(({ what, kind, subject }) => `${what} ${kind} ${subject}`);
    const daily = ["ends revocation list CN=Our authority", "ends certificate CN=soon"];
    expect(told()).toEqual(daily);
    await listener.reloadCertificates?.();
    expect(told()).toEqual([]);
    vi.advanceTimersByTime(DAY);
    expect(told()).toEqual(daily);
    vi.advanceTimersByTime(DAY);
    expect(told()).toEqual([...daily, "ends certificate CN=later"]);
    await listener.close();
    vi.advanceTimersByTime(2 * DAY);
    expect(told()).toEqual([]);
  });
});

describe("what is wrong with the options of TLS is found without listening", () => {
  const problems = async (tls: Partial<TlsConfig>): Promise<string[]> => {
    const check = await checkTls({ certificates: [good], ...tls });
    // Whoever checks and whoever starts must say the same.
    if (check.problems.length === 0) await listen(tls);
    else await expect(listen(tls)).rejects.toThrow(check.problems[0]?.message);
    return check.problems.map(({ message }) => message.replaceAll(folder, "DIR").replaceAll(ours.folder, "CA"));
  };
  const write = (name: string, text: string | Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const cut = (pem: string): string => pem.slice(0, pem.length / 2);
  const der = (pem: string): Buffer => Buffer.from(pem.replaceAll(/-----[^-]+-----/g, ""), "base64");

  test("nothing, where nothing is", async () => {
    expect(await problems({})).toEqual([]);
    expect(await problems({ ca: ours.cert, crl: ours.revocationList(), requireCertificate: true })).toEqual([]);
    const { cert, key } = identityOf(good);
    const both = write("both.pem", `# a comment\n${cert}${key}`);
    expect(await problems({ certificates: [{ cert: both, key: both }] })).toEqual([]);
    const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    expect(await problems({ certificates: [{ cert: both, key: write("ec.key", parameters + key) }] })).toEqual([]);
  });

  test("certificates and keys", async () => {
    const { cert, key } = identityOf(good);
    const pair = (certificate: string, privateKey: string) =>
      problems({ certificates: [{ cert: certificate, key: privateKey }] });
    const at = "tls.certificates[0]";
    expect(await pair(join(folder, "none"), join(folder, "none.key"))).toEqual([
      `${at}.cert: DIR/none: no such file`,
      `${at}.key: DIR/none.key: no such file`,
    ]);
    expect(await pair(folder, good.key)).toEqual([`${at}.cert: DIR: it is a folder`]);
    expect(await pair(write("text", "text"), good.key)).toEqual([
      `${at}.cert: there is no certificate (PEM) in DIR/text`,
    ]);
    expect(await pair(write("der", der(cert)), good.key)).toEqual([
      `${at}.cert: there is no certificate (PEM) in DIR/der`,
    ]);
    expect(await pair(write("cut", cut(cert)), good.key)).toEqual([
      `${at}.cert: certificate 1 in DIR/cut cannot be read: it has no end`,
    ]);
    const broken = cert + cert.replace(/\n[^-]{10}/, "\nAAAAAAAAAA");
    expect((await pair(write("chain", broken), good.key))[0]).toMatch(
      /cert: certificate 2 in DIR\/chain cannot be read: /,
    );
    expect(await pair(good.cert, write("cut.key", cut(key)))).toEqual([
      `${at}.key: there is no readable private key (PEM) in DIR/cut.key`,
    ]);
    const other = ours.issue("/CN=other", { use: "server" });
    expect((await pair(good.cert, other.key))[0]).toMatch(
      /key: the key in CA\/\S+ does not belong to the certificate in CA/,
    );
  });

  test("authorities: each certificate of a file, and a folder that has none", async () => {
    const ca = readFileSync(ours.cert, "utf8");
    expect(await problems({ ca: write("ca.txt", "nothing") })).toEqual([
      "tls.ca: there is no certificate (PEM) in DIR/ca.txt",
    ]);
    const second = write("second.pem", `${ca}-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n`);
    expect((await problems({ ca: second }))[0]).toMatch(/^tls\.ca: certificate 2 in DIR\/second\.pem cannot be read: /);
    expect(await problems({ ca: [ours.cert, write("half", ca + cut(ca))] })).toEqual([
      "tls.ca[1]: certificate 2 in DIR/half cannot be read: it has no end",
    ]);
    const caPath = mkdtempSync(join(folder, "ca-"));
    writeFileSync(join(caPath, "README"), ca);
    writeFileSync(join(caPath, "key.pem"), readFileSync(good.key));
    expect(await problems({ caPath })).toEqual([
      `tls.caPath: there is no certificate (*.pem, *.crt, *.cer) in the folder ${caPath.replace(folder, "DIR")}`,
    ]);
    writeFileSync(join(caPath, "ca.pem"), ca);
    expect(await problems({ caPath, requireCertificate: true })).toEqual([]);
    expect(await problems({ caPath: good.cert })).toEqual([
      expect.stringMatching(/^tls\.caPath: CA\/\S+: it is no folder$/),
    ]);
    expect(await problems({ requireCertificate: true })).toEqual([
      "tls.requireCertificate: there is no authority to check clients' certificates with (ca or caPath)",
    ]);
    expect(await problems({ requestCertificate: true })).toHaveLength(1);
  });

  test("revocation lists, ciphers, versions", async () => {
    const crl = readFileSync(ours.revocationList(), "utf8");
    const ca = ours.cert;
    expect(await problems({ ca, crl: write("no.crl", "nothing") })).toEqual([
      'tls.crl: there is no revocation list (PEM, "X509 CRL") in DIR/no.crl',
    ]);
    expect(await problems({ ca, crl: write("cut.crl", crl + cut(crl)) })).toEqual([
      "tls.crl: a revocation list in DIR/cut.crl has no end",
    ]);
    const garbage = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
    expect(await problems({ ca, crl: write("bad.crl", crl + garbage) })).toEqual([
      "tls.crl: revocation list 2 in DIR/bad.crl cannot be read",
    ]);
    expect(await problems({ ciphers: "NONSENSE" })).toEqual(["tls.ciphers: OpenSSL says: no cipher match"]);
    expect(await problems({ minVersion: "TLSv1.3", maxVersion: "TLSv1.2" })).toEqual([
      "tls.maxVersion: TLSv1.2 is older than TLSv1.3, the minimum",
    ]);
    expect(await problems({ certificates: [] })).toEqual(["tls.certificates: at least one is needed"]);
  });

  test("all of it at once", async () => {
    const all = {
      ciphers: "NONSENSE",
      ca: join(folder, "no.ca"),
      crl: join(folder, "no.crl2"),
      certificates: [{ cert: "", key: "" }],
    };
    expect((await problems(all)).map((line) => line.split(":")[0])).toEqual([
      "tls.ciphers",
      "tls.ca",
      "tls.crl",
      "tls.certificates[0].cert",
      "tls.certificates[0].key",
    ]);
  });
});

test("a revocation list is never read beyond its bytes, whatever they are", () => {
  const text = readFileSync(ours.revocationList(), "utf8");
  const whole = Buffer.from(text.replaceAll(/-----[^-]+-----/g, ""), "base64");
  expect(revocationListFacts(whole)?.issuer).toBe("CN=Our authority");
  for (let length = 0; length < whole.length; length++) {
    expect(() => revocationListFacts(whole.subarray(0, length))).not.toThrow();
    for (const byte of [0, 0x30, 0x80, 0x84, 0xff]) {
      const damaged = Buffer.from(whole);
      damaged[length] = byte;
      expect(() => revocationListFacts(damaged)).not.toThrow();
    }
  }
});
