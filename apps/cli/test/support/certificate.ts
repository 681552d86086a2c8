// A certificate for 127.0.0.1, signed by itself: made once for a file of tests.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Credentials, issueAuthority, issueServer } from "../../src/commands/creds/issue.ts";

let made: Promise<{ readonly authority: Credentials; readonly server: Credentials }> | undefined;

/** Files in `folder`. `certificate` holds the chain, so that it can be trusted as it is. */
export async function makeCertificate(folder: string): Promise<{ certificate: string; key: string }> {
  made ??= issueAll();
  const { authority, server } = await made;
  const certificate = join(folder, "server.crt");
  const key = join(folder, "server.key");
  await writeFile(certificate, server.certificate + authority.certificate);
  await writeFile(key, server.key);
  return { certificate, key };
}

async function issueAll() {
  const subject = { organization: "WrenMQ tests", commonName: "test authority" };
  const authority = await issueAuthority(subject, 2048);
  const server = await issueServer(authority, { ...subject, commonName: "localhost" }, [
    { type: "dns", value: "localhost" },
    { type: "ip", value: "127.0.0.1" },
  ]);
  return { authority, server };
}
