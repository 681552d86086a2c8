// Places that must say the same although they may not import each other: the configuration, the broker, the plugins.
import { DEFAULT_LIMITS } from "@wrenmq/broker";
import { defaultConfig, parseConfig } from "@wrenmq/config";
import { BUILT_IN_PLUGINS } from "@wrenmq/host";
import { expect, test } from "vitest";

test("a broker without limits has those of a configuration without limits", () => {
  const { limits } = defaultConfig();
  expect(DEFAULT_LIMITS).toMatchObject(limits);
});

/** What each plugin cannot do without, in a configuration file. */
const NEEDED: Readonly<Record<string, string>> = {
  "password-file": "{ file: ./users }",
  acl: "{ publish: { ann: [a/#] } }",
  jwt: '{ secret_key: "01234567890123456789012345678901", algorithms: [HS256] }',
  http: "{ host: 127.0.0.1, port: 8080 }",
  ldap: "{ server: ldap://127.0.0.1, base_dn: dc=example, user_attribute: uid, bind_dn: cn=x, bind_password: y }",
  sql: "{ connection: 'sqlite:///users.db' }",
  x509: "{ identity: common-name }",
  scram: "{ file: ./users }",
  token: "{ file: ./tokens }",
  shadows: "{ connection: 'sqlite:///shadows.db' }",
};

test.each(Object.keys(BUILT_IN_PLUGINS))(
  "the options that the configuration gives %s are those it takes",
  async (name) => {
    const text = `plugins:\n  ${name}: ${NEEDED[name] ?? "{}"}\n`;
    const { config } = parseConfig(text, { file: "wrenmq.yaml", style: "native" });
    const make = await BUILT_IN_PLUGINS[name as keyof typeof BUILT_IN_PLUGINS]();
    const options = config.plugins[0]?.options;
    expect(make(options as never)).toHaveProperty("setup");
  },
);
