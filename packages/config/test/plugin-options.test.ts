// The options of plugins in a configuration file: what a plugin says about them all together is said of the user's keys.
import { expect, test } from "vitest";
import { ConfigError, parseConfig } from "../src/index.ts";

function mistake(text: string): string {
  try {
    parseConfig(text, { style: "native", file: "/etc/c.yaml" });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("there is no mistake");
}

test.each([
  [
    "plugins:\n  jwt: { algorithms: [HS256] }\n",
    /^\/etc\/c\.yaml:2:\d+: plugins\.jwt: give exactly one of secret_key, public_key_file and jwks_url$/,
  ],
  [
    "plugins:\n  jwt: { algorithms: [RS256], secret_key: x }\n",
    /plugins\.jwt\.algorithms: RS256 does not go with secret_key/,
  ],
  ["plugins:\n  x509: { identity: spiffe }\n", /plugins\.x509\.uri_domain: missing: identity spiffe needs it/],
  ["plugins:\n  acl: {}\n", /plugins\.acl: expected at least one of subscribe, publish, receive or file$/],
  [
    "plugins:\n  acl: { publish: { ada: [a/#/b] } }\n",
    /plugins\.acl\.publish\.ada\.0: expected a topic filter, got "a\/#\/b"/,
  ],
  [
    "plugins:\n  strict: { use: guard, maximum_delay: 1h }\n",
    /plugins\.strict\.maximum_delay: expected a number of milliseconds up to 9000/,
  ],
  [
    "plugins:\n  ldap: { server: http://x, base_dn: a, user_attribute: b, bind_dn: c, bind_password: d }\n",
    /plugins\.ldap\.server: expected a URL with ldap:\/\//,
  ],
])("%j", (text, message) => {
  expect(mistake(text)).toMatch(message);
});
