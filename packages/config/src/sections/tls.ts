// The section `tls` of a listener.

import { listOf } from "../description/collections.ts";
import { duration } from "../description/quantities.ts";
import { choice, flag, path, pattern, secret, text } from "../description/scalars.ts";
import { type Section, section } from "../description/section.ts";
import type { SniCertificate, TlsSection } from "../wren-config.ts";

const sniSection: Section<SniCertificate> = section<SniCertificate>("A certificate for one host name.", {
  serverName: {
    doc: "Server name that the client sends (SNI); `*.example.org` for all names one level below.",
    type: pattern("a host name such as mqtt.example.org", /(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?/),
    required: true,
  },
  certificateFile: { doc: "PEM, the chain included.", type: path(), required: true },
  keyFile: { doc: "PEM.", type: path(), required: true },
});

export const tlsSection: Section<TlsSection> = section<TlsSection>(
  "The server's certificate, and rules for client certificates.",
  {
    certificateFile: { doc: "The server's certificate: PEM, the chain included.", type: path(), required: true },
    keyFile: { doc: "Its private key: PEM.", type: path(), required: true },
    keyPassphrase: { doc: "Opens an encrypted key.", type: secret() },
    caFile: { doc: "Authorities of client certificates: PEM.", type: path() },
    caPath: { doc: "The same as a folder of PEM files.", type: path("folder") },
    caData: { doc: "The same as PEM text.", type: text("PEM text") },
    crlFile: { doc: "Revocation lists, of every authority of the chain: PEM.", type: path() },
    requestCertificate: {
      doc: "Ask clients for a certificate; one that is sent must be valid.",
      type: flag,
      default: false,
    },
    requireCertificate: { doc: "Refuse clients without a valid certificate.", type: flag, default: false },
    userNameFrom: {
      doc: "Take the MQTT user name from this part of the certificate.",
      type: choice(["none", "common-name", "subject", "san"]),
      default: "none",
    },
    minimumVersion: { doc: "Oldest protocol.", type: choice(["TLSv1.2", "TLSv1.3"]), default: "TLSv1.2" },
    ciphers: { doc: "Cipher list in OpenSSL's form.", type: text("a cipher list") },
    sni: {
      doc: "Further certificates, selected by server name.",
      type: listOf(sniSection, "a list of certificates"),
      default: [],
    },
    sessionLifetime: {
      doc: "How long a client may resume its TLS session in place of a full handshake; TLS 1.3 takes more than 7d as 7d.",
      type: duration("ms", { zeroIs: "never" }),
      default: 43_200_000,
    },
    sessionKeyFile: {
      doc: "At least 32 random bytes: brokers with the same file resume each other's sessions, and those from before a restart. Without it: a secret of this start, shared by its workers.",
      type: path(),
    },
    watchFiles: {
      doc: "Reload the files when they change; open connections stay.",
      type: flag,
      default: true,
    },
  },
);
