// Where the Unix socket for the command line is: in the data folder; without one, or where its path would be too long for
// the system, in the user's runtime folder. A broker with a data folder leaves a link in the runtime folder, too, so that
// the command line of the same user finds it without being told.
import { lstatSync, mkdirSync, readdirSync, readlinkSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";

export const SOCKET_NAME = "wrenmq.sock";
/** Bytes of `sun_path`: 108 on Linux, 104 elsewhere, with a zero at the end. */
const LONGEST_PATH = 103;

/** `$XDG_RUNTIME_DIR/wrenmq`, or `wrenmq-UID` in the folder for temporary files. */
export function runtimeFolder(env: NodeJS.ProcessEnv = process.env): string {
  const given = env["XDG_RUNTIME_DIR"];
  return given === undefined || given === "" ? join(tmpdir(), `wrenmq-${userInfo().uid}`) : join(given, "wrenmq");
}

/** Makes the runtime folder, for its owner alone. @throws Error where somebody else could get at what is in it */
export function makeRuntimeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode, isOurs } = looked(folder);
  if (!isOurs || (mode & 0o077) !== 0) {
    throw new Error(`${folder} is not for its owner alone (owner ${uid}, mode ${(mode & 0o777).toString(8)})`);
  }
}

/** undefined: its path is longer than the system takes. */
export function socketIn(folder: string): string | undefined {
  const path = join(resolve(folder), SOCKET_NAME);
  return Buffer.byteLength(path) <= LONGEST_PATH ? path : undefined;
}

/** Of the brokers of this user: the sockets, or links to them, in the runtime folder. */
export function runningSockets(folder: string = runtimeFolder()): string[] {
  try {
    if (!looked(folder).isOurs) return [];
    return readdirSync(folder)
      .filter((name) => name.endsWith(".sock"))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** What to call a socket: where a link leads. */
export function targetOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return path;
  }
}

function looked(folder: string): { readonly uid: number; readonly mode: number; readonly isOurs: boolean } {
  const found = lstatSync(folder);
  return { uid: found.uid, mode: found.mode, isOurs: found.isDirectory() && found.uid === userInfo().uid };
}
