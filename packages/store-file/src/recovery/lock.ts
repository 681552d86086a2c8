// Lets only one broker use a directory. Node has no file locks that end with their process, so the lock file names its
// owner: the process, when it was started, and when the machine was. A lock whose owner has ended is replaced, never
// removed.
//
// Locks are numbered, and the highest number counts. To replace a dead owner's lock n is to create n + 1, in which only
// one process can succeed.
import { linkSync, readdirSync, readFileSync, readlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "@wrenmq/store";
import { isNoRoom, lendRoom } from "../journal/reserve.ts";

interface Holder {
  readonly pid: number;
  /** When the process was started, as the kernel reports it; empty where the system does not. */
  readonly started: string;
  /** The boot of the machine, and the namespace of process ids (containers). */
  readonly machine: string;
}

const LOCK_NAME = /^lock\.(\d+)$/;
const ATTEMPTS = 20;

export interface StoreLock {
  release(): void;
}

/** @throws StoreError ERR_STORE_LOCKED, ERR_STORE_OPEN */
export function lockDirectory(directory: string): StoreLock {
  const draft = join(directory, `lock.draft-${process.pid}-${Math.random().toString(36).slice(2)}`);
  try {
    writeDraft(directory, draft);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const held = highestLock(directory);
      if (held > 0) refuseIfAlive(directory, held);
      if (!tryLink(draft, lockPath(directory, held + 1))) continue;
      if (highestLock(directory) !== held + 1) {
        remove(lockPath(directory, held + 1));
        continue;
      }
      if (held > 0) remove(lockPath(directory, held));
      return { release: () => remove(lockPath(directory, held + 1)) };
    }
    throw new StoreError("ERR_STORE_LOCKED", `the store ${directory} is being opened by others at the same time`);
  } finally {
    remove(draft);
  }
}

/** Must work on a full disk too: the store may be opened to free space. */
function writeDraft(directory: string, draft: string): void {
  const content = JSON.stringify(describe(process.pid));
  try {
    writeFileSync(draft, content);
  } catch (error) {
    if (isForbidden(error)) {
      throw new StoreError(
        "ERR_STORE_OPEN",
        `the store ${directory} cannot be opened: no permission to write into the folder, not even its lock`,
        { cause: error },
      );
    }
    if (!isNoRoom(error) || !lendRoom(directory)) throw error;
    writeFileSync(draft, content);
  }
}

function isForbidden(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "EACCES" || code === "EPERM" || code === "EROFS";
}

function lockPath(directory: string, number: number): string {
  return join(directory, `lock.${number}`);
}

function highestLock(directory: string): number {
  let highest = 0;
  for (const name of readdirSync(directory)) {
    const number = Number(LOCK_NAME.exec(name)?.[1] ?? 0);
    if (number > highest) highest = number;
  }
  return highest;
}

function refuseIfAlive(directory: string, number: number): void {
  const path = lockPath(directory, number);
  let holder: Holder;
  try {
    holder = JSON.parse(readFileSync(path, "utf8")) as Holder;
  } catch {
    // Released meanwhile, or not written by us: a lock is linked with its content, so it is never half written.
    return;
  }
  if (!isAlive(holder)) return;
  throw new StoreError(
    "ERR_STORE_LOCKED",
    `the store ${directory} is in use by process ${holder.pid}. Stop that process, or use another directory. ` +
      `(If it is certain that no process uses the store, remove ${path}.)`,
  );
}

function isAlive(holder: Holder): boolean {
  const mine = machine();
  // The machine was restarted, or it is another container: its process ids do not apply here.
  if (holder.machine !== mine) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const { started, isOver } = look(holder.pid);
  return !isOver && (holder.started === "" || holder.started === started);
}

function describe(pid: number): Holder {
  return { pid, started: look(pid).started, machine: machine() };
}

/** Linux: fields 3, 20 and 22 of /proc/PID/stat, counted after the name, which may contain spaces and parentheses. */
function look(pid: number): { readonly started: string; readonly isOver: boolean } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie, whose parent does not wait for it: in a container that may last for ever. While it has threads one of
    // them may still be writing.
    const isOver = (fields[0] === "Z" || fields[0] === "X") && Number(fields[17]) <= 1;
    return { started: fields[19] ?? "", isOver };
  } catch {
    return { started: "", isOver: false };
  }
}

function machine(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return "";
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    // A file system without hard links: create it, then write its content at once.
    try {
      writeFileSync(to, readFileSync(from), { flag: "wx" });
      return true;
    } catch (second) {
      if ((second as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw second;
    }
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone already.
  }
}
