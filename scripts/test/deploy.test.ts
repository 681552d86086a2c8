// The examples in deploy/ fit the program and each other: metrics, keys, commands, paths, ports, probes.
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { main } from "../../apps/cli/src/main.ts";
import { AdminHttp } from "../../packages/admin/src/http/index.ts";
import { createAdmin } from "../../packages/admin/src/index.ts";
import { PROMETHEUS } from "../../packages/admin/src/metrics/prometheus.ts";
import { createBroker, silentLogger } from "../../packages/broker/src/index.ts";
import { parseConfig } from "../../packages/config/src/index.ts";
import { addUser } from "../../packages/plugins/auth-password/src/index.ts";
import { createToken } from "../../packages/plugins/auth-token/src/index.ts";
import { root } from "../workspace.mjs";
import { callsIn, objection } from "./support/command-line.ts";

const read = (name: string): string => readFileSync(join(root, "deploy", name), "utf8");

const OTHER_METRICS = [
  "wrenmq_listener_connections",
  "wrenmq_worker_up",
  "wrenmq_draining",
  "wrenmq_store_failing",
  "wrenmq_event_loop_delay_seconds",
  ...["gc_pause", "store_commit", "publish_latency", "plugin_answer"].flatMap((name) =>
    ["", "_bucket"].map((suffix) => `wrenmq_${name}_seconds${suffix}`),
  ),
];

test("the dashboard and the page for operators ask only for metrics that there are", () => {
  const known = new Set([...Object.values(PROMETHEUS).map(({ name }) => name), ...OTHER_METRICS]);
  const page = readFileSync(join(root, "docs/operations.md"), "utf8");
  const asked = [...`${read("grafana-dashboard.json")}${page}`.matchAll(/\bwrenmq_[a-z_]+/g)].map(([name]) => name);
  expect(asked.length).toBeGreaterThan(20);
  expect(asked.filter((name) => !known.has(name))).toEqual([]);
});

interface Container {
  readonly args?: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
  readonly [probe: string]: unknown;
}

/** What is read of a manifest. */
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
  readonly spec: {
    readonly selector: Readonly<Record<string, unknown>> & { readonly matchLabels?: object };
    readonly ports: readonly { readonly port: number; readonly targetPort: string }[];
    readonly serviceName: string;
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: { readonly runAsNonRoot: boolean };
        readonly containers: readonly [Container];
        readonly volumes: readonly {
          readonly name: string;
          readonly configMap?: { readonly name: string };
          readonly secret?: { readonly secretName: string };
        }[];
      };
    };
    readonly volumeClaimTemplates: readonly { readonly metadata: { readonly name: string } }[];
  };
}

const manifests = parseAllDocuments(read("kubernetes.yaml")).map((one) => one.toJS() as Manifest);
const manifest = (kind: string): Manifest => {
  const found = manifests.find((one) => one.kind === kind);
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found;
};
const compose = parse(read("compose.yaml")) as {
  readonly services: {
    readonly wrenmq: {
      readonly build: { readonly context: string; readonly dockerfile: string };
      readonly ports: readonly string[];
      readonly volumes: readonly string[];
      readonly secrets: readonly string[];
      readonly read_only: boolean;
    };
  };
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
};
const dockerfile = read("Dockerfile");
const instruction = (name: string): string =>
  new RegExp(`^${name} (.*)$`, "m").exec(dockerfile.slice(dockerfile.lastIndexOf("FROM ")))?.[1] ?? "";
const words = (name: string): string[] => JSON.parse(instruction(name)) as string[];
const unit = new Map(
  [...read("wrenmq.service").matchAll(/^([A-Za-z]+)=(.*)$/gm)].map(([, key = "", value = ""]) => [key, value]),
);

const CONFIGURATIONS = {
  "wrenmq.yaml": read("wrenmq.yaml"),
  "kubernetes.yaml": manifest("ConfigMap").data["wrenmq.yaml"] ?? "",
};
const portsOf = (text: string): number[] => {
  const { listeners, admin } = parseConfig(text).config;
  return [...listeners.map((one) => (one as { readonly port?: number }).port), admin.bind?.port].filter(
    (port) => port !== undefined,
  );
};
/** Paths below the folder of secrets that a configuration reads. */
const secretsOf = (text: string): string[] =>
  [...text.matchAll(/\/run\/secrets\/\S+/g)].map(([path]) => path).toSorted();
const optionOf = (call: readonly string[], option: string): string | undefined => call[call.indexOf(option) + 1];

/** The calls of the command in the examples. */
const started = [...words("ENTRYPOINT"), ...words("CMD")];
const checked = (JSON.parse(/CMD (\[.*\])/.exec(instruction("HEALTHCHECK"))?.[1] ?? "[]") as string[]).slice(1);
const [container] = manifest("StatefulSet").spec.template.spec.containers;
const preStop = callsIn(container.lifecycle.preStop.exec.command.at(-1) ?? "");
const service = callsIn(unit.get("ExecStart") ?? "");

test("every call of the command is one that it accepts", async () => {
  expect(started[0]).toBe("wrenmq");
  const calls = [started.slice(1), checked, ...preStop, ...service];
  expect(calls.map(([first]) => first)).toEqual(["start", "health", "drain", "start"]);
  for (const call of calls) expect([call, await objection(call)]).toEqual([call, undefined]);
});

describe("a container", () => {
  test("reads the configuration and keeps its data where they are mounted", () => {
    const config = optionOf(started, "--config") ?? "";
    const data = optionOf(started, "--data") ?? "";
    expect([instruction("VOLUME"), optionOf(checked, "--data"), optionOf(preStop[0] ?? [], "--data")]).toEqual([
      data,
      data,
      data,
    ]);
    const { volumes } = compose.services.wrenmq;
    expect(volumes).toEqual([`data:${data}`, `./wrenmq.yaml:${config}:ro`]);
    const mounts = new Map(container.volumeMounts.map(({ name, mountPath }) => [mountPath, name]));
    expect([mounts.get(data), mounts.get(dirname(config))]).toEqual(["data", "config"]);
    expect(Object.keys(manifest("ConfigMap").data)).toEqual([basename(config)]);
  });

  test("is not root, writes to its volumes only, and has the ports that the configuration opens", () => {
    expect(instruction("USER")).toBe("node");
    expect(compose.services.wrenmq.read_only).toBe(true);
    expect(manifest("StatefulSet").spec.template.spec.securityContext.runAsNonRoot).toBe(true);
    expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
    const exposed = instruction("EXPOSE").split(" ").map(Number);
    for (const text of Object.values(CONFIGURATIONS)) expect(exposed).toEqual(expect.arrayContaining(portsOf(text)));
    const published = compose.services.wrenmq.ports.map((port) => Number(port.split(":").at(-1)));
    expect(portsOf(CONFIGURATIONS["wrenmq.yaml"])).toEqual(expect.arrayContaining(published));
    expect(container.ports.map(({ containerPort }) => containerPort)).toEqual(
      portsOf(CONFIGURATIONS["kubernetes.yaml"]),
    );
  });

  test("finds its secrets, and is built of what there is", () => {
    const { secrets, build } = compose.services.wrenmq;
    expect(secretsOf(CONFIGURATIONS["wrenmq.yaml"])).toEqual(secrets.map((name) => `/run/secrets/${name}`).toSorted());
    expect(Object.keys(compose.secrets).toSorted()).toEqual([...secrets].toSorted());
    expect(existsSync(join(root, "deploy", build.context, build.dockerfile))).toBe(true);
    const folder = container.volumeMounts.find(({ name }) => name === "files")?.mountPath ?? "";
    const created = [...read("kubernetes.yaml").matchAll(/--from-file=(\w+)/g)].map(([, file]) => `${folder}/${file}`);
    expect(secretsOf(CONFIGURATIONS["kubernetes.yaml"])).toEqual(created.toSorted());
    const name = /create secret generic (\S+)/.exec(read("kubernetes.yaml"))?.[1];
    const { volumes } = manifest("StatefulSet").spec.template.spec;
    expect(volumes.find(({ secret }) => secret !== undefined)?.secret?.secretName).toBe(name);
  });
});

describe("Kubernetes", () => {
  const { spec } = manifest("StatefulSet");

  test("everything refers to something that there is", () => {
    const { labels } = spec.template.metadata;
    const selectors = [manifest("Service").spec.selector, spec.selector.matchLabels];
    expect([...selectors, manifest("PodDisruptionBudget").spec.selector.matchLabels]).toEqual([labels, labels, labels]);
    expect(spec.serviceName).toBe(manifest("Service").metadata.name);
    const ports = container.ports.map(({ name }) => name);
    for (const { targetPort } of manifest("Service").spec.ports) expect(ports).toContain(targetPort);
    const volumes = [...spec.template.spec.volumes, ...spec.volumeClaimTemplates.map(({ metadata }) => metadata)];
    const mounted = container.volumeMounts.map(({ name }) => name);
    expect(mounted.toSorted()).toEqual(volumes.map(({ name }) => name).toSorted());
    const config = spec.template.spec.volumes.find(({ configMap }) => configMap !== undefined)?.configMap?.name;
    expect(config).toBe(manifest("ConfigMap").metadata.name);
  });

  test("there is time to drain before the end", () => {
    const pause = Number(/sleep (\d+)/.exec(container.lifecycle.preStop.exec.command.at(-1) ?? "")?.[1]);
    expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(pause + 10);
  });

  test("its probes are addresses of the admin API, which answers whatever name it is called by", async () => {
    const probes = ["startupProbe", "readinessProbe", "livenessProbe"].map(
      (name) => (container[name] as { readonly httpGet: { readonly path: string; readonly port: string } }).httpGet,
    );
    expect(probes.map(({ port }) => port)).toEqual(["admin", "admin", "admin"]);
    const broker = createBroker({ listeners: { any: { type: "external" } }, plugins: [] });
    await broker.start();
    const admin = createAdmin({ broker, logger: silentLogger });
    const http = await AdminHttp.start({ admin, logger: silentLogger, host: "127.0.0.1", port: 0 });
    try {
      for (const { path } of probes) {
        const { port } = new URL(http.address);
        const status = await new Promise((resolve, reject) => {
          const headers = { host: "10.1.2.3:18080" };
          get({ host: "127.0.0.1", port, path, headers }, (response) => {
            response.resume();
            resolve(response.statusCode);
          }).on("error", reject);
        });
        expect([path, status]).toEqual([path, 200]);
      }
    } finally {
      await http.close();
      admin.close();
      await broker.shutdown();
    }
  });
});

test("the unit of systemd keeps its data in its own folder, and reloads with the signal that the command knows", () => {
  const [start = []] = service;
  expect(optionOf(start, "--data")).toBe(`/var/lib/${unit.get("StateDirectory")}`);
  expect(read("wrenmq.service")).toContain(`the configuration into ${optionOf(start, "--config")}`);
  expect([unit.get("Type"), unit.get("NotifyAccess"), unit.get("ProtectSystem")]).toEqual(["notify", "all", "strict"]);
  expect(unit.get("ExecReload")).toMatch(/-HUP \$MAINPID$/);
  expect(Number(unit.get("WatchdogSec"))).toBeGreaterThan(0);
  expect(unit.get("User")).not.toBe("root");
});

test.each(Object.entries(CONFIGURATIONS))(
  "`wrenmq config check` finds nothing wrong with that of %s",
  async (_name, text) => {
    const folder = await mkdtemp(join(tmpdir(), "wrenmq-deploy-"));
    const output = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const errors = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      const users = join(folder, "users");
      const tokens = join(folder, "admin_tokens");
      await addUser(users, "ada", "a secret", { cost: 1024 });
      await createToken(tokens, { user: "ada", role: "read" });
      for (const path of secretsOf(text)) {
        expect(["users", "admin_tokens"]).toContain(basename(path));
      }
      const file = join(folder, "wrenmq.yaml");
      await writeFile(file, text.replaceAll(/\/run\/secrets(?:\/wrenmq)?\//g, `${folder}/`));
      expect(await main(["config", "check", file])).toBe(0);
      expect(errors.mock.calls.map(([line]) => String(line)).filter((line) => /error|mistake/.test(line))).toEqual([]);
    } finally {
      output.mockRestore();
      errors.mockRestore();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
