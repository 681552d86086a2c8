// `localhost` is 127.0.0.1 and ::1: clients resolve the name to either.
import { once } from "node:events";
import { connect, createServer, type ListenOptions, Server } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, test } from "vitest";
import { createListener, type ListenerError } from "../../src/index.ts";
import { listenOn, unbind } from "../../src/listeners/bind.ts";
import { recording } from "../support.ts";

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));
const open: Server[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(unbind));
});

/** A server that cannot listen on ::1, and says what it was asked. */
class NoIpv6 extends Server {
  readonly asked: ListenOptions[];
  readonly code: string;
  constructor(asked: ListenOptions[], code: string) {
    super();
    this.asked = asked;
    this.code = code;
  }
  override listen(...given: unknown[]): this {
    const options = given[0] as ListenOptions;
    this.asked.push(options);
    if (options.host !== "::1") return super.listen(options);
    const error = Object.assign(new Error(`listen ${this.code} ::1`), { code: this.code });
    process.nextTick(() => this.emit("error", error));
    return this;
  }
}

const withCode = (code: string, config: { port: number }): { asked: ListenOptions[]; servers: Promise<Server[]> } => {
  const asked: ListenOptions[] = [];
  const make = (): Server => {
    const server = new NoIpv6(asked, code);
    open.push(server);
    return server;
  };
  return { asked, servers: listenOn(make, { host: "localhost", ...config }, "mqtt://localhost:0") };
};

describe("without IPv6", () => {
  test.each(["EADDRNOTAVAIL", "EAFNOSUPPORT"])("(%s) 127.0.0.1 is enough", async (code) => {
    const { asked, servers } = withCode(code, { port: 0 });
    expect((await servers).map((server) => server.address())).toEqual([
      expect.objectContaining({ address: "127.0.0.1" }),
    ]);
    expect(asked.map(({ host }) => host)).toEqual(["127.0.0.1", "::1"]);
  });

  test("any other failure is one, and nothing listens then", async () => {
    const { servers } = withCode("EACCES", { port: 0 });
    await expect(servers).rejects.toMatchObject({ code: "ERR_LISTENER_PERMISSION" } satisfies Partial<ListenerError>);
    expect(open.filter((server) => server.listening)).toEqual([]);
  });

  test("any port that is free on one address only is another one's: some are tried", async () => {
    const { asked, servers } = withCode("EADDRINUSE", { port: 0 });
    await expect(servers).rejects.toMatchObject({ code: "ERR_LISTENER_IN_USE" });
    expect(asked.length).toBeGreaterThan(2);
    expect(open.filter((server) => server.listening)).toEqual([]);
  });
});

describe.skipIf(!hasIpv6)("with IPv6", () => {
  test("a listener with port 0 has the same port on both addresses", async () => {
    const server = recording();
    const listener = createListener({ type: "tcp", host: "LocalHost", port: 0 }, server.accept);
    await listener.listen();
    try {
      const port = Number(new URL(listener.address).port);
      for (const host of ["127.0.0.1", "::1"]) {
        const socket = connect({ port, host });
        const { connection } = await server.next();
        expect(connection.info.remoteAddress).toBe(host);
        socket.destroy();
      }
    } finally {
      await listener.close();
    }
  });

  test("a port that is taken on ::1 is said with that address", async () => {
    const taken = createServer();
    open.push(taken);
    taken.listen({ host: "::1", port: 0 });
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const make = (): Server => {
      const server = createServer();
      open.push(server);
      return server;
    };
    await expect(listenOn(make, { host: "localhost", port }, `mqtt://localhost:${port}`)).rejects.toThrow(
      `mqtt://[::1]:${port}: another process listens there already`,
    );
  });
});
