import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly method: string | undefined;
  readonly path: string;
  readonly type: string | undefined;
  readonly agent: string | undefined;
  readonly query: Record<string, string>;
  readonly body: string;
  readonly socket: unknown;
}

export interface Service {
  readonly asked: readonly Asked[];
  readonly port: number;
  close(): void;
}

/** A service on a free port of this machine that answers as told and remembers what it was asked. */
export async function startService(answer: (asked: Asked, response: ServerResponse) => void): Promise<Service> {
  const asked: Asked[] = [];
  const read = async (request: IncomingMessage): Promise<Asked> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "", "http://x");
    return {
      method: request.method,
      path: url.pathname,
      type: request.headers["content-type"],
      agent: request.headers["user-agent"],
      query: Object.fromEntries(url.searchParams),
      body: Buffer.concat(chunks).toString(),
      socket: request.socket,
    };
  };
  const server = createServer((request, response) => {
    void read(request).then((one) => {
      asked.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    asked,
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
