// The Unix socket for the command line. Only its owner can open it (mode 0600), so it needs no token. The commands and
// their dependencies are loaded at the first connection.
import { setMaxListeners } from "node:events";
import { chmodSync, lstatSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import type { Admin, AdminOptions } from "../admin.ts";
import { closeServer } from "../http/close-server.ts";
import { makeRuntimeFolder, runtimeFolder, socketIn } from "./location.ts";

export type AdminSocketOptions = AdminOptions & {
  /** Folder of the data. Default: there is none. */
  readonly dataFolder?: string;
  /** Folder for sockets of brokers without a data folder. Default `runtimeFolder()`. */
  readonly runtime?: string;
  /** Default: one is made at the first connection. */
  readonly admin?: Admin;
};

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

export class AdminSocket {
  readonly path: string;
  readonly #options: AdminSocketOptions;
  readonly #server: Server;
  #handle: Promise<Handle> | undefined;
  #admin: Admin | undefined;
  #link: string | undefined;
  readonly #closing = new AbortController();

  private constructor(options: AdminSocketOptions, path: string) {
    this.path = path;
    setMaxListeners(0, this.#closing.signal); // one for each open stream
    this.#options = options;
    this.#server = createServer(
      { headersTimeout: 5_000, requestTimeout: 10_000, maxHeaderSize: 8_192 },
      (...exchange) => {
        this.#serve(...exchange);
      },
    );
    this.#server.maxConnections = 32;
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  /** @throws Error of the system: the broker works without the socket, so the caller logs it and goes on */
  static async open(options: AdminSocketOptions): Promise<AdminSocket> {
    if (process.platform === "win32") throw new Error("Windows has no Unix sockets with permissions");
    const { dataFolder, runtime = runtimeFolder() } = options;
    const inData = dataFolder === undefined ? undefined : socketIn(dataFolder);
    const own = join(runtime, `${process.pid}.sock`);
    if (inData === undefined) makeRuntimeFolder(runtime);
    const socket = new AdminSocket(options, inData ?? own);
    removeSocket(socket.path);
    await socket.#listen();
    if (inData === undefined) removeDead(runtime);
    else socket.#leaveLink(runtime, own);
    return socket;
  }

  async close(): Promise<void> {
    if (this.#options.admin === undefined) this.#admin?.close();
    if (this.#link !== undefined) rmSync(this.#link, { force: true });
    this.#closing.abort();
    await closeServer(this.#server);
  }

  async #listen(): Promise<void> {
    const server = this.#server;
    const listening = new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.once("listening", resolve);
    });
    // The file exists as soon as `listen` returns: it must never be open to others.
    const mask = process.umask(0o177);
    try {
      server.listen(this.path);
    } finally {
      process.umask(mask);
    }
    await listening;
    chmodSync(this.path, 0o600);
    server.unref();
    server.on("error", (error) => this.#options.logger.error({ err: error }, "the socket for commands has trouble"));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    this.#handle ??= this.#load();
    this.#handle.then(
      (handle) => handle(request, response),
      (error: unknown) => {
        this.#options.logger.error({ err: error }, "the administrative commands cannot be loaded");
        response.destroy();
      },
    );
  }

  async #load(): Promise<Handle> {
    const { createAdmin } = await import("../admin.ts");
    const { createHandler } = await import("../http/handler.ts");
    const admin = this.#options.admin ?? createAdmin(this.#options);
    this.#admin = admin;
    return createHandler({
      admin,
      identify: () => ({ role: "admin", who: "local socket" }),
      isForUs: () => true,
      openMetrics: true,
      closing: this.#closing.signal,
    });
  }

  /** A convenience: without the link, `--data` names the socket. */
  #leaveLink(runtime: string, link: string): void {
    try {
      makeRuntimeFolder(runtime);
      rmSync(link, { force: true });
      symlinkSync(this.path, link);
      this.#link = link;
      removeDead(runtime);
    } catch (error) {
      this.#options.logger.debug({ err: error }, "no link to the socket for commands");
    }
  }
}

/** Removes the socket of an earlier process. Only one process can have locked the data folder. */
function removeSocket(path: string): void {
  let isSocket = false;
  try {
    const found = lstatSync(path);
    isSocket = found.isSocket() || found.isSymbolicLink();
  } catch {
    return;
  }
  if (!isSocket) throw new Error(`${path} is there, and it is no socket`);
  rmSync(path, { force: true });
}

function removeDead(runtime: string): void {
  for (const name of readdirSync(runtime)) {
    const pid = Number(/^(\d+)\.sock$/.exec(name)?.[1] ?? 0);
    if (pid > 0 && !isAlive(pid)) rmSync(join(runtime, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
