// `wrenmq creds ca|server|device`: aMQTT's ca_creds, server_creds and device_creds.
import { Command } from "commander";
import type { CredsKind, CredsOptions } from "./creds.ts";

export function credsCommand(): Command {
  const creds = new Command("creds").description("make keys and certificates for TLS");
  const ca = make(creds, "ca", "an authority of your own: ca.key and ca.crt, RSA with 4096 bits, valid for 10 years")
    .requiredOption("--country <code>", "two letters")
    .requiredOption("--state <name>", "state or province")
    .requiredOption("--locality <name>", "city")
    .requiredOption("--org-name <name>", "organization")
    .requiredOption("--cn <name>", "name of the authority");
  const about = "RSA with 2048 bits, valid for 365 days";
  const server = make(creds, "server", `server.key and server.crt for the broker, ${about}`)
    .requiredOption("--country <code>", "two letters")
    .requiredOption("--org-name <name>", "organization")
    .requiredOption("--cn <host>", "host name of the broker; 127.0.0.1 is added");
  const device = make(creds, "device", `ID.key and ID.crt for a client, ${about}`)
    .requiredOption("--country <code>", "two letters")
    .requiredOption("--org-name <name>", "organization")
    .requiredOption("--device-id <id>", "client identifier")
    .requiredOption("--uri <domain>", "the certificate names spiffe://DOMAIN/device/ID");
  for (const command of [server, device]) {
    command
      .option("--ca-key <file>", "key of the authority", "ca.key")
      .option("--ca-crt <file>", "certificate of the authority", "ca.crt");
  }
  for (const command of [ca, server, device]) {
    command
      .option("--output-dir <folder>", "where the files go", ".")
      .option("--force", "replace files that are there");
  }
  return creds;
}

function make(creds: Command, kind: CredsKind, description: string): Command {
  return creds
    .command(kind)
    .description(description)
    .action(async (options: CredsOptions) => {
      const { writeCredentials } = await import("./creds.ts");
      await writeCredentials(kind, options);
    });
}
