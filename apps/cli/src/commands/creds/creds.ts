// `wrenmq creds`: writes keys and certificates to files.
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "@wrenmq/store-file";
import { atFile, readText } from "../../at-file.ts";
import { CommandError, UsageError } from "../../errors.ts";
import { type Credentials, issueAuthority, issueDevice, issueServer } from "./issue.ts";

export interface CredsOptions {
  readonly country: string;
  readonly state?: string;
  readonly locality?: string;
  readonly orgName: string;
  readonly cn?: string;
  readonly deviceId?: string;
  readonly uri?: string;
  readonly outputDir: string;
  readonly caKey?: string;
  readonly caCrt?: string;
  readonly force?: boolean;
}

export type CredsKind = "ca" | "server" | "device";

/** @throws UsageError, CommandError */
export async function writeCredentials(kind: CredsKind, options: CredsOptions): Promise<void> {
  if (!/^[A-Za-z]{2}$/.test(options.country)) throw new UsageError("--country is two letters, such as DE");
  const name = kind === "device" ? fileName(options.deviceId ?? "") : kind;
  const paths = { key: join(options.outputDir, `${name}.key`), certificate: join(options.outputDir, `${name}.crt`) };
  const there = Object.values(paths).find((path) => existsSync(path));
  if (there !== undefined && options.force !== true) {
    throw new CommandError(`${there} exists already; --force replaces it`);
  }
  const { key, certificate } = await issued(kind, options);
  if (existsSync(options.outputDir) && !statSync(options.outputDir).isDirectory()) {
    throw new CommandError(`--output-dir ${options.outputDir}: it is not a folder`);
  }
  await atFile(options.outputDir, () => makeFolder(options.outputDir));
  await atFile(paths.key, () => writeFileSync(paths.key, key, { mode: 0o600 }));
  await atFile(paths.certificate, () => writeFileSync(paths.certificate, certificate));
  process.stdout.write(`${paths.key}\n${paths.certificate}\n`);
}

function issued(kind: CredsKind, options: CredsOptions): Promise<Credentials> {
  const { country, state, locality, orgName: organization, cn = "", deviceId = "", uri = "" } = options;
  if (kind === "ca") {
    const place = { ...(state === undefined ? {} : { state }), ...(locality === undefined ? {} : { locality }) };
    return issueAuthority({ country, ...place, organization, commonName: cn });
  }
  const authority = {
    key: readText(options.caKey ?? "ca.key"),
    certificate: readText(options.caCrt ?? "ca.crt"),
  };
  if (kind === "server") {
    return issueServer(authority, { country, organization, commonName: cn }, [
      { type: "dns", value: cn },
      { type: "ip", value: "127.0.0.1" },
    ]);
  }
  return issueDevice(authority, { country, organization, commonName: deviceId }, [
    { type: "url", value: `spiffe://${uri}/device/${deviceId}` },
    { type: "dns", value: `${deviceId}.local` },
  ]);
}

function fileName(deviceId: string): string {
  if (/^[\w.-]+$/.test(deviceId) && !deviceId.startsWith(".")) return deviceId;
  throw new UsageError("--device-id has letters, digits, dots, dashes and underscores only: it names the files");
}
