import { parseConfig } from "@wrenmq/config";
import { expect, test } from "vitest";
import { namesFromCertificates } from "../src/names-from-certificates.ts";
import { whoMayConnect } from "../src/who-may-connect.ts";

const who = (listener: string, plugins = "anonymous: {}"): string => {
  const text = `wrenmq: 1\nlisteners: { a: { ${listener} } }\nplugins: { ${plugins} }\n`;
  const config = namesFromCertificates(parseConfig(text, { environment: {} }).config);
  const [first] = config.listeners;
  const asked = new Map([["a", config.plugins.map(({ name }) => name)]]);
  return first === undefined ? "" : whoMayConnect(first, config, asked);
};
const tls = (more: string): string => `type: tls, tls: { certificate_file: c, key_file: k${more} }`;
const EVERYONE = "anonymous: { named_users: allow }";

test.each([
  [who("bind: ':0'", EVERYONE), "everyone, no password is asked"],
  [who(tls(""), EVERYONE), "everyone, no password is asked"],
  [who(tls(", ca_file: /ca.pem, request_certificate: true"), EVERYONE), "everyone, no password is asked"],
  [
    who(tls(", ca_file: /ca.pem, require_certificate: true"), EVERYONE),
    "everyone with a client certificate of /ca.pem, no password is asked",
  ],
  [
    who(tls(", ca_file: /ca.pem, require_certificate: true"), `${EVERYONE}, password-file: { file: u }`),
    "everyone with a client certificate of /ca.pem, no password is asked, users of the password file",
  ],
  [
    who(tls(", ca_path: /certs, ca_data: PEM, require_certificate: true"), "password-file: { file: u }"),
    "users of the password file; a client certificate of /certs or the authority in the configuration is needed",
  ],
  [
    who(tls(", ca_file: /ca.pem, require_certificate: true, user_name_from: common-name"), "taboo: {}"),
    "clients with an accepted certificate; a client certificate of /ca.pem is needed",
  ],
  [who(tls(", ca_file: /ca.pem, require_certificate: true"), "taboo: {}"), "nobody: no plugin lets clients in"],
])("%s", (said, expected) => {
  expect(said).toBe(expected);
});
