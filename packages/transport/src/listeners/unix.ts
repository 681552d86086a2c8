// The Unix-socket listener. It removes a socket file that a crash has left, but only if no process listens on it.
import { existsSync } from "node:fs";
import { chmod, lstat, unlink } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { dirname } from "node:path";
import { bindError, ListenerError } from "../errors.ts";
import { DEFAULT_BACKLOG, type UnixListenerConfig } from "../listener-config.ts";
import { bind, unbind } from "./bind.ts";
import { PlainListener } from "./plain-listener.ts";

export class UnixListener extends PlainListener<UnixListenerConfig> {
  readonly port: undefined = undefined;

  get address(): string {
    return `unix:${this.config.path}`;
  }

  protected override async open(make: () => Server): Promise<readonly Server[]> {
    const server = make();
    const { path, mode } = this.config;
    const options = { path, backlog: this.config.backlog ?? DEFAULT_BACKLOG };
    try {
      await bind(server, options, this.address);
    } catch (error) {
      const code = error instanceof ListenerError ? error.code : undefined;
      // libuv reports a missing folder as a missing permission.
      if (code === "ERR_LISTENER_PERMISSION" && !existsSync(dirname(path))) {
        throw bindError(this.address, Object.assign(new Error("no such folder", { cause: error }), { code: "ENOENT" }));
      }
      if (code !== "ERR_LISTENER_IN_USE" || !(await isStale(path))) throw error;
      await unlink(path);
      await bind(server, options, this.address);
    }
    // Before chmod the umask decides; the usual one lets only the owner connect.
    if (mode === undefined) return [server];
    try {
      await chmod(path, mode);
    } catch (cause) {
      await unbind(server);
      throw bindError(this.address, cause);
    }
    return [server];
  }
}

/** Is it a socket file on which no process listens? Any other kind of file is left alone. */
async function isStale(path: string): Promise<boolean> {
  const stat = await lstat(path).catch(() => undefined);
  if (stat?.isSocket() !== true) return false;
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      resolve(false);
    });
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  });
}
