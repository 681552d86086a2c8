// A throw-away certificate: ECDSA P-256, for localhost. Needs `openssl` on PATH.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** @returns the paths of its files in a folder */
export function certificateIn(dir) {
  const files = { cert: join(dir, "cert.pem"), key: join(dir, "key.pem") };
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  execFileSync("openssl", [...words, "-subj", "/CN=localhost", "-keyout", files.key, "-out", files.cert], {
    stdio: "ignore",
  });
  return files;
}
