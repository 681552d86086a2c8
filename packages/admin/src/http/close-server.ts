// Closes a server: answers that are being sent come to their end, if that does not take long.
import type { Server } from "node:http";
import type { Server as TlsServer } from "node:https";

/** Milliseconds that answers have. */
const PATIENCE = 1_000;
/** Milliseconds between two looks for connections whose answer has been sent. */
const LOOK_INTERVAL = 20;

export async function closeServer(server: Server | TlsServer): Promise<void> {
  await new Promise<void>((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), PATIENCE);
    const look = setInterval(() => server.closeIdleConnections(), LOOK_INTERVAL);
    server.close(() => {
      clearTimeout(late);
      clearInterval(look);
      resolve();
    });
  });
}
