import type { Identity, PeerCertificate } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { describe, expect, test } from "vitest";
import { type AuthX509Options, authX509 } from "../src/index.ts";

const certificate: PeerCertificate = {
  subject: "C=CH\nO=Org\nCN=dev-1",
  commonName: "dev-1",
  subjectAltNames: [
    "DNS:dev-1.local",
    "URI:spiffe://example.org/device/dev-1",
    "URI:spiffe://example.org/device/dev-2",
  ],
  fingerprint256: "AA",
  serialNumber: "1",
};
async function enter(
  given: AuthX509Options,
  client: { certificate?: PeerCertificate; clientId?: string; username?: string },
): Promise<Identity> {
  const host = await TestHost.start([authX509(given)]);
  return host.chain.authenticate(testClient(client), undefined);
}

describe("the certificate names the user", () => {
  test.each([
    ["common-name", "dev-1"],
    ["subject", "C=CH,O=Org,CN=dev-1"],
    ["san", "spiffe://example.org/device/dev-1"],
  ] as const)("%s: %s, whatever name the client gave", async (identity, username) => {
    expect(await enter({ identity }, { certificate, username: "admin" })).toMatchObject({ reasonCode: 0, username });
  });

  test.each([
    ["common-name", { commonName: undefined }],
    ["common-name", { commonName: "" }],
    ["common-name", { commonName: "a\0b" }],
    ["subject", { subject: "" }],
    ["san", { subjectAltNames: ["DNS:x"] }],
    ["san", { subjectAltNames: ['URI:"spiffe://a, URI:spiffe://b"'] }],
  ] as const)("no usable %s: refused", async (identity, part) => {
    expect((await enter({ identity }, { certificate: { ...certificate, ...part } })).reasonCode).toBe(0x87);
  });
});

describe("spiffe, as in aMQTT", () => {
  const spiffe = { identity: "spiffe", uriDomain: "example.org" } as const;
  test("the first URI must name the domain and the client identifier", async () => {
    expect(await enter(spiffe, { certificate, clientId: "dev-1" })).toMatchObject({
      reasonCode: 0,
      rule: "auth-x509: spiffe://example.org/device/dev-1",
    });
    expect((await enter(spiffe, { certificate, clientId: "dev-2" })).reasonCode).toBe(0x87);
    expect((await enter(spiffe, { certificate, clientId: "dev-1/x" })).reasonCode).toBe(0x87);
    expect((await enter({ ...spiffe, uriDomain: "example" }, { certificate, clientId: "dev-1" })).reasonCode).toBe(
      0x87,
    );
    const bare = { ...certificate, subjectAltNames: ["URI:spiffe://example.org/device/"] };
    expect((await enter(spiffe, { certificate: bare, clientId: "" })).reasonCode).toBe(0x87);
    expect((await enter(spiffe, { certificate: { ...certificate, subjectAltNames: [] } })).rule).toMatch(/no URI/);
  });
  test("needs a domain", () => {
    expect(() => authX509({ identity: "spiffe" })).toThrow("uriDomain: missing");
  });
});

test("no certificate: refused, or left to other plugins", async () => {
  expect((await enter({}, {})).rule).toBe("auth-x509: there is no client certificate");
  expect((await enter({ required: false }, {})).rule).toMatch(/no plugin has an opinion/);
});
