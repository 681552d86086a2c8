// Opens the Unix socket for the command line, and the admin API if it is configured: of the only process, or of the
// supervisor for all its workers.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AdminSource } from "@wrenmq/admin";
import { AdminSocket } from "@wrenmq/admin/socket";
import type { WrenConfig } from "@wrenmq/config";
import type { Reload } from "@wrenmq/host";
import type { Logger } from "pino";
import { lineOf } from "../errors.ts";

export interface Administration {
  close(): Promise<void>;
}

/** @throws Error when the admin API cannot listen; without the Unix socket the broker goes on */
export async function administer(
  source: AdminSource,
  config: WrenConfig,
  { logger, reload }: { readonly logger: Logger; readonly reload: Reload },
): Promise<Administration> {
  const { admin: section } = config;
  const ends: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const end of ends.reverse()) await end();
  };
  const { bind, tokensFile, tls, hosts, insecure } = section;
  const admin =
    bind === undefined ? undefined : (await import("@wrenmq/admin")).createAdmin({ ...source, logger, reload });
  if (admin !== undefined) ends.push(() => admin.close());
  if (admin !== undefined && bind !== undefined) {
    const { AdminHttp } = await import("@wrenmq/admin/http");
    const http = await AdminHttp.start({
      admin,
      logger,
      ...bind,
      hosts,
      insecure,
      ...(section.dashboard ? dashboardFolder() : {}),
      ...(tokensFile === undefined ? {} : { tokensFile }),
      ...(tls === undefined ? {} : { tls }),
    });
    ends.push(() => http.close());
    logger.info({ address: http.address }, "the admin API listens");
    if (http.hasDashboard) logger.info({ address: `${http.address}/` }, "the dashboard is open");
    else if (section.dashboard)
      logger.debug({}, "there is no dashboard: @wrenmq/dashboard is not installed, or not built");
  }
  if (section.socket) {
    try {
      const { path } = config.store;
      const socket = await AdminSocket.open({
        ...source,
        logger,
        reload,
        ...(path === undefined ? {} : { dataFolder: path }),
        ...(admin === undefined ? {} : { admin }),
      });
      ends.push(() => socket.close());
      logger.debug({ path: socket.path }, "the socket for commands is open");
    } catch (error) {
      logger.warn({ reason: lineOf(error) }, "there is no socket for commands such as wrenmq clients");
    }
  }
  return { close };
}

function dashboardFolder(): { readonly dashboard?: string } {
  try {
    const manifest = import.meta.resolve("@wrenmq/dashboard/package.json");
    return { dashboard: join(fileURLToPath(manifest), "..", "dist") };
  } catch {
    return {};
  }
}
