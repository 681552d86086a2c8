// The contract of every administrative command, over the Unix socket and over HTTP, with one process and with two
// workers: a client's home must not be visible in any answer.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ALL_COMMANDS, type CommandName } from "@wrenmq/admin";
import { AdminClient } from "@wrenmq/admin/client";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { BrokerProcess } from "./support/broker-process.ts";
import { runCommand } from "./support/command.ts";
import { idAt } from "./support/workers.ts";

type Answer = Readonly<Record<string, unknown>> & { readonly items: readonly Readonly<Record<string, unknown>>[] };

/** What a case has: one way to the broker, and clients of both homes. */
interface Scene {
  readonly workers: number;
  readonly config: string;
  read(name: CommandName, input?: object): Promise<Answer>;
  write(name: CommandName, input?: object): Promise<Answer>;
  lines(name: CommandName, input?: object): Promise<Answer[]>;
  /** A stream without an end. */
  watch(name: CommandName, input?: object): AsyncIterable<Answer>;
  /** Client identifiers that begin so, of both homes in turn. */
  ids(prefix: string, count?: number): string[];
  connect(clientId: string, options?: IClientOptions): Promise<MqttClient>;
}

const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "done",
    (error: unknown) => (error as { readonly code?: unknown }).code,
  );

/** `expect.poll` is for tests alone. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function refused(connecting: Promise<MqttClient>): Promise<boolean> {
  return connecting.then(
    () => false,
    () => true,
  );
}

/** Every command has a case: the type does not allow one without. */
const CASES: Readonly<Record<CommandName, (scene: Scene) => Promise<void>>> = {
  async "clients.list"({ read, ids, connect }) {
    const all = ids("list-", 5);
    for (const id of all) await connect(id);
    for (const descending of [false, true]) {
      const seen: unknown[] = [];
      let cursor: unknown;
      do {
        const page = await read("clients.list", { prefix: "list-", limit: 2, descending, cursor });
        expect([page["matched"], page["complete"], page["incomplete"]]).toEqual([5, true, undefined]);
        seen.push(...page.items.map(({ clientId }) => clientId));
        cursor = page["cursor"];
      } while (cursor !== undefined);
      expect(seen).toEqual(descending ? all.toSorted().toReversed() : all.toSorted());
    }
  },
  async "clients.get"({ read, ids, connect }) {
    for (const clientId of ids("get-")) {
      const client = await connect(clientId);
      await client.subscribeAsync("get/it");
      expect(await read("clients.get", { clientId, sampleMs: 0 })).toMatchObject({ clientId, connected: true });
    }
    expect(await code(read("clients.get", { clientId: "nobody" }))).toBe("not_found");
  },
  async "clients.kick"({ write, ids, connect }) {
    for (const clientId of ids("kick-")) {
      const client = await connect(clientId);
      const closed = new Promise((resolve) => client.once("close", () => resolve(undefined)));
      expect(await write("clients.kick", { clientId })).toEqual({ disconnected: true });
      await closed;
      expect(await code(write("clients.kick", { clientId }))).toBe("not_found");
    }
  },
  async "clients.disconnect"({ write, ids, connect }) {
    const all = ids("away-", 4);
    for (const clientId of all) await connect(clientId);
    const dry = await write("clients.disconnect", { prefix: "away-", dryRun: true });
    expect(dry).toMatchObject({ matched: 4, disconnected: 0, complete: true });
    expect((dry["clientIds"] as string[]).toSorted()).toEqual(all.toSorted());
    expect(await write("clients.disconnect", { prefix: "away-" })).toMatchObject({ matched: 4, disconnected: 4 });
  },
  async "clients.ban"({ write, ids, connect }) {
    const all = ids("ban-");
    for (const clientId of all) await connect(clientId);
    const ban = { kind: "address", value: "127.0.0.1" };
    expect(await write("clients.ban", { ...ban, seconds: 60 })).toMatchObject({ disconnected: 2 });
    for (const clientId of all) expect(await refused(connect(clientId))).toBe(true);
    await write("clients.unban", ban);
  },
  async "clients.unban"({ write, ids, connect }) {
    const all = ids("unban-");
    for (const value of all) await write("clients.ban", { value });
    for (const clientId of all) expect(await refused(connect(clientId))).toBe(true);
    for (const value of all) {
      expect(await write("clients.unban", { value })).toEqual({ removed: true });
      expect(await code(write("clients.unban", { value }))).toBe("not_found");
      await connect(value);
    }
  },
  async "clients.bans"({ read, write }) {
    await write("clients.ban", { kind: "address", value: "192.0.2.1", reason: "noise" });
    expect((await read("clients.bans")).items).toMatchObject([
      { kind: "address", value: "192.0.2.1", reason: "noise" },
    ]);
    await write("clients.unban", { kind: "address", value: "192.0.2.1" });
    expect((await read("clients.bans")).items).toEqual([]);
  },
  async "sessions.list"({ read, write, ids, connect }) {
    const all = ids("away-session-", 4);
    for (const [index, clientId] of all.entries()) {
      const client = await connect(clientId, { clean: false });
      await client.subscribeAsync(`queue/${index}/#`, { qos: 1 });
      await client.endAsync();
      for (let count = 0; count < index; count++) await write("publish", { topic: `queue/${index}/t`, qos: 1 });
    }
    const sessions = { prefix: "away-session-", connected: false, sort: "queued" };
    await expect
      .poll(async () => (await read("sessions.list", sessions)).items.map(({ queued }) => queued))
      .toEqual([3, 2, 1, 0]);
    const { items, matched, cursor } = await read("sessions.list", { ...sessions, limit: 3 });
    expect([matched, items.map(({ clientId }) => clientId)]).toEqual([4, [all[3], all[2], all[1]]]);
    const next = await read("sessions.list", { ...sessions, limit: 3, cursor });
    expect([next["cursor"], next.items.map(({ clientId }) => clientId)]).toEqual([undefined, [all[0]]]);
    for (const clientId of all) await write("sessions.end", { clientId });
  },
  async "sessions.get"({ read, write, ids, connect }) {
    for (const clientId of ids("session-")) {
      await (await connect(clientId, { clean: false })).endAsync();
      await expect.poll(() => read("sessions.get", { clientId })).toMatchObject({ clientId, connected: false });
      await write("sessions.end", { clientId });
      expect(await code(read("sessions.get", { clientId }))).toBe("not_found");
    }
  },
  async "sessions.end"({ write, ids, connect }) {
    for (const clientId of ids("end-")) {
      const client = await connect(clientId, { clean: false });
      const closed = new Promise((resolve) => client.once("close", () => resolve(undefined)));
      expect(await write("sessions.end", { clientId })).toEqual({ ended: true, lost: 0 });
      await closed;
      expect(await code(write("sessions.end", { clientId }))).toBe("not_found");
    }
  },
  async "subscriptions.list"({ read, ids, connect }) {
    const all = ids("subscribes-", 3);
    for (const clientId of all) await (await connect(clientId)).subscribeAsync(["who/gets/+", "$share/g/who/gets/it"]);
    const { items, matched } = await read("subscriptions.list", { topic: "who/gets/it", limit: 4 });
    expect(matched).toBe(6);
    expect(items.map(({ filter, clientId }) => `${String(filter)} ${String(clientId)}`)).toEqual(
      all
        .toSorted()
        .map((id) => `$share/g/who/gets/it ${id}`)
        .concat(`who/gets/+ ${all.toSorted()[0]}`),
    );
  },
  async "retained.list"({ read, write }) {
    for (const name of ["b", "a", "c"]) await write("publish", { topic: `kept/${name}`, payload: name, retain: true });
    const page = await read("retained.list", { filter: "kept/#", limit: 2 });
    expect([page["matched"], page.items.map(({ topic }) => topic)]).toEqual([3, ["kept/a", "kept/b"]]);
    const next = await read("retained.list", { filter: "kept/#", limit: 2, cursor: page["cursor"] });
    expect(next.items.map(({ topic }) => topic)).toEqual(["kept/c"]);
    await write("retained.delete", { filter: "kept/#" });
  },
  async "retained.get"({ read, write }) {
    await write("publish", { topic: "one/kept", payload: "x", retain: true });
    expect(await read("retained.get", { topic: "one/kept" })).toMatchObject({ payload: "x" });
    expect(await code(read("retained.get", { topic: "none/kept" }))).toBe("not_found");
    await write("retained.delete", { filter: "one/kept" });
  },
  async "retained.delete"({ read, write, ids, connect }) {
    for (const name of ["1", "2"]) await write("publish", { topic: `delete/${name}`, payload: name, retain: true });
    const dry = { filter: "delete/#", dryRun: true };
    expect(await write("retained.delete", dry)).toMatchObject({ matched: 2, deleted: 0 });
    expect(await write("retained.delete", { filter: "delete/#" })).toMatchObject({ matched: 2, deleted: 2 });
    expect((await read("retained.list", { filter: "delete/#" })).items).toEqual([]);
    // Nor does another worker have them: the marker comes after what it would have had.
    await write("publish", { topic: "marker", payload: "m", retain: true, qos: 1 });
    for (const clientId of ids("late-")) {
      const client = await connect(clientId);
      const first = new Promise((resolve) => client.once("message", resolve));
      await client.subscribeAsync(["delete/#", "marker"]);
      expect(await first).toBe("marker");
    }
    await write("retained.delete", { filter: "marker" });
  },
  async "retained.export"({ lines, write }) {
    for (const name of ["1", "2", "3"])
      await write("publish", { topic: `export/${name}`, payload: name, retain: true });
    const all = await lines("retained.export", { filter: "export/#" });
    expect(all.map(({ topic, payload }) => `${String(topic)} ${String(payload)}`).toSorted()).toEqual(
      ["1", "2", "3"].map((name) => `export/${name} ${name}`),
    );
    await write("retained.delete", { filter: "export/#" });
  },
  async "topics.explain"({ read, ids, connect }) {
    const all = ids("explained-");
    for (const clientId of all) await (await connect(clientId)).subscribeAsync("explained/#", { qos: 1 });
    for (const publisher of all) {
      const answer = await read("topics.explain", { topic: "explained/x", publisher });
      expect(answer).toMatchObject({ total: 2, retained: false, mayPublish: true });
      const recipients = answer["recipients"] as { clientId: string; outcome: string }[];
      expect(recipients.map(({ clientId, outcome }) => `${clientId} ${outcome}`).toSorted()).toEqual(
        all.map((id) => `${id} sent`).toSorted(),
      );
    }
  },
  async explain({ read, ids, connect }) {
    for (const clientId of ids("may-")) {
      await connect(clientId);
      expect(await read("explain", { topic: "t", clientId })).toMatchObject({ allowed: true, known: true });
    }
    expect(await read("explain", { topic: "t", clientId: "nobody" })).toMatchObject({ known: false });
  },
  async publish({ write, ids, connect }) {
    const heard: Promise<unknown>[] = [];
    for (const clientId of ids("hears-")) {
      const client = await connect(clientId);
      await client.subscribeAsync("said", { qos: 1 });
      heard.push(new Promise((resolve) => client.once("message", (_topic, payload) => resolve(payload.toString()))));
    }
    expect(await write("publish", { topic: "said", payload: "aGk=", encoding: "base64", qos: 1 })).toEqual({
      delivered: true,
    });
    expect(await Promise.all(heard)).toEqual(["hi", "hi"]);
    expect(await write("publish", { topic: "to/nobody" })).toEqual({ delivered: false });
  },
  async "listeners.list"({ read, ids, connect }) {
    for (const clientId of ids("connection-", 4)) await connect(clientId);
    const { items } = await read("listeners.list");
    expect(items).toMatchObject([{ name: "default", type: "tcp", maxConnections: 1_000 }]);
    await expect.poll(async () => (await read("listeners.list")).items[0]?.["connections"]).toBe(4);
  },
  async "plugins.list"({ read }) {
    expect(await read("plugins.list")).toMatchObject({ items: [{ name: "anonymous" }], hookFailures: 0 });
  },
  // With a cluster: cluster.test.ts.
  async "cluster.status"({ read }) {
    expect(await code(read("cluster.status"))).toBe("unavailable");
  },
  async "cluster.partitions"({ read }) {
    expect(await code(read("cluster.partitions"))).toBe("unavailable");
  },
  async "cluster.drain"({ write }) {
    expect(await code(write("cluster.drain", { member: "a" }))).toBe("unavailable");
  },
  async "cluster.move"({ write }) {
    expect(await code(write("cluster.move", { partition: 0, member: "a" }))).toBe("unavailable");
  },
  async "cluster.members"({ read }) {
    expect(await code(read("cluster.members"))).toBe("unavailable");
  },
  async metrics({ read, write, ids, connect }) {
    for (const clientId of ids("counted-", 3)) await connect(clientId);
    await write("publish", { topic: "kept/once", payload: "12345", retain: true, qos: 1 });
    await expect
      .poll(() => read("metrics"))
      .toMatchObject({ clientsConnected: 3, clientsTotal: 3, retained: 1, retainedBytes: expect.any(Number) });
    await write("retained.delete", { filter: "kept/once" });
  },
  async stats({ read, workers, ids, connect }) {
    for (const clientId of ids("counted-", 3)) await connect(clientId);
    const stats = await read("stats", { sampleMs: 10 });
    expect(stats).toMatchObject({ clientsConnected: 3, sessions: 3, ready: true, state: "started", draining: false });
    expect(stats["perSecond"]).toMatchObject({ publishReceived: 0 });
    const own = stats["workers"] as readonly { name: string; clientsConnected: number; pid: number }[] | undefined;
    expect(own?.map(({ name, clientsConnected }) => `${name}: ${clientsConnected}`)).toEqual(
      workers === 1 ? undefined : ["worker 0: 2", "worker 1: 1"],
    );
  },
  async "stats.watch"({ watch, ids, connect }) {
    for (const clientId of ids("watched-", 3)) await connect(clientId);
    // The first line may come before a worker's first.
    for await (const line of watch("stats.watch")) {
      if (line["incomplete"] !== undefined || line["connections"] !== 3) continue;
      expect(line).toMatchObject({ sessions: 3, subscriptions: 0 });
      return;
    }
  },
  async "messages.watch"({ watch, write, ids, connect }) {
    await write("publish", { topic: "watched/kept", payload: "before", retain: true, qos: 1 });
    const all = ids("says-", 4);
    const said: string[] = [];
    for await (const line of watch("messages.watch", { filter: "watched/#", limit: 5 })) {
      said.push(String(line["payload"]));
      if (said.length > 1) continue;
      expect(line).toMatchObject({ retained: true, payload: "before" });
      for (const clientId of all) {
        await (await connect(clientId)).publishAsync("watched/it", clientId, { qos: 1 });
      }
    }
    expect(said.slice(1).toSorted()).toEqual(all.toSorted());
    await write("retained.delete", { filter: "watched/#" });
  },
  async "trace.run"({ watch, ids, connect }) {
    for (const clientId of ids("traced-")) {
      const client = await connect(clientId);
      await client.subscribeAsync("traced", { qos: 1 });
      const kinds: string[] = [];
      const awaited = new Set(["header", "state", "packet", "routed", "delivered"]);
      for await (const line of watch("trace.run", { client: clientId, seconds: 600 })) {
        kinds.push(String(line["kind"]));
        awaited.delete(String(line["kind"]));
        if (awaited.size === 0) break;
        // When its home follows it.
        if (line["kind"] === "state") await client.publishAsync("traced", "x", { qos: 1 });
      }
      expect(kinds[0]).toBe("header");
      expect(kinds.filter((kind) => kind === "header" || kind === "state")).toHaveLength(2);
      const whole: string[] = [];
      for await (const line of watch("trace.run", { client: clientId, seconds: 1 })) whole.push(String(line["kind"]));
      expect([whole[0], whole.at(-1)]).toEqual(["header", "end"]);
    }
  },
  async health({ read }) {
    const { ready, state, checks } = await read("health");
    expect([ready, state]).toEqual([true, "started"]);
    expect((checks as { ok: boolean }[]).every(({ ok }) => ok)).toBe(true);
  },
  async reload({ write, read, config }) {
    const nothing = { changed: false, needsRestart: [], changes: [], warnings: expect.any(Array), source: config };
    expect(await write("reload")).toEqual(nothing);
    const listener = async (): Promise<unknown> => (await read("listeners.list")).items[0]?.["maxConnections"];
    await writeFile(config, textOf(config, 500));
    const key = "listeners.default.max_connections";
    const different = { changed: true, changes: [{ key, before: "1000", after: "500", effect: "now" }] };
    expect(await write("reload", { dryRun: true })).toEqual({ ...nothing, ...different });
    expect(await listener()).toBe(1_000);
    expect(await write("reload")).toEqual({ ...nothing, ...different });
    expect(await listener()).toBe(500);
    expect(await write("reload", { dryRun: true })).toEqual(nothing);
    await writeFile(config, textOf(config, 1_000));
    await write("reload");
    await writeFile(config, "listeners: {");
    expect(await code(write("reload"))).toBe("conflict");
    expect(await code(write("reload", { dryRun: true }))).toBe("conflict");
    await writeFile(config, textOf(config, 1_000));
    expect(await listener()).toBe(1_000);
  },
  async drain({ read, write, ids, connect }) {
    const all = ids("drained-", 3);
    for (const clientId of all) await connect(clientId);
    expect(await write("drain", { rate: 0 })).toEqual({ draining: true, clientsConnected: 3 });
    expect(await read("health")).toMatchObject({ ready: false });
    for (const clientId of ids("new-")) expect(await refused(connect(clientId))).toBe(true);
    expect(await write("drain", { rate: 1 })).toEqual({ draining: true, clientsConnected: 3, estimatedSeconds: 3 });
    await write("drain", { rate: 1_000 });
    await expect.poll(async () => (await read("stats", { sampleMs: 0 }))["clientsConnected"]).toBe(0);
    expect(await write("drain", { cancel: true })).toEqual({ draining: false, clientsConnected: 0 });
    for (const clientId of ids("new-")) await connect(clientId);
  },
};

function textOf(config: string, maxConnections: number): string {
  return `
wrenmq: 1
listeners: { default: { bind: "127.0.0.1:0", max_connections: ${maxConnections} } }
plugins: { anonymous: {} }
sys: { interval: 0s }
admin: { bind: "127.0.0.1:0", tokens_file: ${JSON.stringify(`${config}.tokens`)} }
store: { path: ${JSON.stringify(`${config}.data`)} }
`;
}

describe.each([1, 2])("workers: %d", (workers) => {
  let folder: string;
  let broker: BrokerProcess;
  let url: string;
  let config: string;
  const clients: Record<"socket" | "http", AdminClient | undefined> = { socket: undefined, http: undefined };
  const open: MqttClient[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "wrenmq-test-"));
    config = join(folder, "c.yaml");
    const created = await runCommand(["token", "create", `${config}.tokens`, "ada", "--role", "admin"]);
    await writeFile(config, textOf(config, 1_000));
    broker = new BrokerProcess(["-c", config, "--workers", String(workers)], { env: { XDG_RUNTIME_DIR: folder } });
    url = await broker.address();
    const line = await broker.line(({ msg }) => msg === "the admin API listens");
    const address = String(line["address"]);
    clients.http = new AdminClient({ url: address, token: created.stdout.trim() });
    clients.socket = new AdminClient({ socket: join(`${config}.data`, "wrenmq.sock") });
    // The socket opens after HTTP.
    await until(async () => (await code((clients.socket as AdminClient).call("health", true))) === "done");
  }, 60_000);

  afterAll(async () => {
    await broker.stop();
    await rm(folder, { recursive: true, force: true });
  });

  afterEach(async () => {
    for (const client of open.splice(0)) await client.endAsync(true);
    await until(async () => {
      const metrics = (await clients.socket?.call("metrics", true)) as Answer;
      return metrics["clientsConnected"] === 0;
    });
  });

  const scene = (door: "socket" | "http"): Scene => {
    const client = clients[door] as AdminClient;
    return {
      workers,
      config,
      read: async (name, input = {}) => (await client.call(name, true, input as Record<string, unknown>)) as Answer,
      write: async (name, input = {}) => (await client.call(name, false, input as Record<string, unknown>)) as Answer,
      async lines(name, input = {}) {
        const all: Answer[] = [];
        for await (const line of client.stream(name, input as Record<string, unknown>)) {
          all.push(JSON.parse(line) as Answer);
        }
        return all;
      },
      async *watch(name, input = {}) {
        for await (const line of client.stream(name, input as Record<string, unknown>))
          yield JSON.parse(line) as Answer;
      },
      ids: (prefix, count = 2) => Array.from({ length: count }, (_, index) => idAt(index % 2, `${prefix}${index}`)),
      async connect(clientId, options = {}) {
        const connected = await mqtt.connectAsync(
          url,
          { clientId, reconnectPeriod: 0, protocolVersion: 4, ...options },
          false,
        );
        connected.on("error", () => {});
        open.push(connected);
        return connected;
      },
    };
  };

  describe.each(["socket", "http"] as const)("over %s", (door) => {
    test.each(ALL_COMMANDS.map(({ name }) => name as CommandName))("%s", async (name) => {
      expect(CASES, `${name} has no case here`).toHaveProperty([name]);
      await CASES[name](scene(door));
    });
  });
});
