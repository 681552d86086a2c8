// The path of the Unix socket for the command line: in the data folder, or, without one and where the path would be too
// long for the system, in the user's runtime folder. A broker with a data folder also leaves a link in the runtime
// folder, so that the command line of the same user finds it.
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

/**
 * Creates the runtime folder, for its owner only.
 * @throws Error when other users could access it
 */
export function makeRuntimeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode, isOurs } = looked(folder);
  if (!isOurs || (mode & 0o077) !== 0) {
    throw new Error(`${folder} is not for its owner alone (owner ${uid}, mode ${(mode & 0o777).toString(8)})`);
  }
}

/** @returns undefined: its path is too long for the system */
export function socketIn(folder: string): string | undefined {
  const path = join(resolve(folder), SOCKET_NAME);
  return Buffer.byteLength(path) <= LONGEST_PATH ? path : undefined;
}

/** The sockets, or links to them, in the runtime folder: the brokers of this user. */
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

/** The path for messages: the target of a link. */
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
