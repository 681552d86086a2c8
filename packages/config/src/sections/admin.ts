// The section `admin`: the Unix socket for the command line, and the admin API over HTTP, which needs an address to be
// on.
import { listOf } from "../description/collections.ts";
import { flag, path, pattern, secret } from "../description/scalars.ts";
import { type Section, section } from "../description/section.ts";
import { scalarType, type ValueType } from "../description/value-type.ts";
import type { Problems } from "../diagnostic.ts";
import { isReachable } from "../risk-warnings.ts";
import { isEmpty, lookUp, type SourceNode } from "../source-node.ts";
import type { AdminSection, AdminTlsSection } from "../wren-config.ts";
import { formatBind, parseBind } from "./bind.ts";

export const ADMIN_PORT = 18_080;

const EXPECTED = "an address such as 127.0.0.1:18080";
const bindType: ValueType<NonNullable<AdminSection["bind"]>> = scalarType({
  expected: EXPECTED,
  schema: { anyOf: [{ type: "string" }, { type: "integer", minimum: 0, maximum: 65_535 }] },
  parse: ({ value, text: written }) =>
    typeof value === "string" || typeof value === "number" ? parseBind(written, ADMIN_PORT) : undefined,
  write: formatBind,
});

const tlsSection: Section<AdminTlsSection> = section<AdminTlsSection>("Certificate of the admin API.", {
  certificateFile: { doc: "PEM, the chain included.", type: path(), required: true },
  keyFile: { doc: "Its private key: PEM.", type: path(), required: true },
  keyPassphrase: { doc: "Opens an encrypted key.", type: secret() },
});

export const adminSection: Section<AdminSection> = section<AdminSection>(
  "Administration: the socket for the command line, and the admin API.",
  {
    socket: {
      doc: "Open a Unix socket for the command line in the data folder; only the broker's own user can use it.",
      type: flag,
      default: true,
    },
    bind: { doc: "Address and port of the admin API over HTTP. Without it: off.", type: bindType },
    tokensFile: { doc: "Tokens of its callers: a file of `wrenmq token create FILE USER --role ROLE`.", type: path() },
    tls: { doc: "Needed where other machines can reach it.", type: tlsSection },
    hosts: {
      doc: "Further names that the Host header of a request may have.",
      type: listOf(pattern("a host name, with or without a port", /[A-Za-z0-9.:[\]_-]+/), "a list of host names"),
      default: [],
    },
    insecure: {
      doc: "Serve other machines without TLS or without tokens; without tokens everybody may call every command.",
      type: flag,
      default: false,
    },
    dashboard: { doc: "Serve the dashboard at this address too.", type: flag, default: true },
  },
);

/** Reports an admin API that is open to other machines without TLS or tokens. */
export function checkAdmin(
  { bind, tls, tokensFile, insecure }: AdminSection,
  node: SourceNode,
  problems: Problems,
): void {
  if (bind === undefined) return;
  const own = lookUp(node, "admin");
  const place = (lookUp(own, "bind") ?? own ?? node).place;
  const where = formatBind(bind);
  if (insecure || !isReachable(bind.host)) return;
  if (tls === undefined && isEmpty(lookUp(own, "tls"))) {
    problems.error(place, `other machines can reach ${where}: add tls, or say insecure: true`, "admin.tls");
  }
  if (tokensFile === undefined && isEmpty(lookUp(own, "tokens_file"))) {
    problems.error(
      place,
      `other machines can reach ${where}: add tokens_file, or say insecure: true`,
      "admin.tokens_file",
    );
  }
}
