// Three members of a cluster and the NATS servers between them, for a run that hurts one or the other at each step.
// Clients connect to any of the members, to another one each time.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { USER } from "../../../../packages/cluster-nats/test/support/nats-server.ts";
import { type NatsPlace, NatsTrio } from "../../../../packages/cluster-nats/test/support/nats-trio.ts";
import { runProgram } from "../check-folder.ts";
import { type ClientLink, Link, type LinkOwner } from "../clients/link.ts";
import type { Random } from "../random.ts";
import { realSurroundings, type Surroundings } from "../surroundings.ts";
import { MemberProcess } from "./member-process.ts";
import { Networks } from "./networks.ts";

export interface ClusterOptions {
  /** Path of the program. */
  readonly program: string;
  /** For the choice of a client's member. */
  readonly random: Random;
  /** NATS servers: 1 or 3. */
  readonly servers: number;
  /** Of the journals; 0: sessions are in RAM. */
  readonly replicas: number;
  /** In network namespaces, where the system permits it. */
  readonly partitions: boolean;
  /** A file for what the members say, at level debug. Default: none. */
  readonly log?: string | undefined;
}

export const NAME = "crash";
const MEMBERS = ["m0", "m1", "m2"];
const NOBODY = { name: "", port: undefined };

export class ClusterUnderTest implements AsyncDisposable {
  readonly members: readonly MemberProcess[];
  readonly nats: NatsTrio;
  /** undefined: everything is on 127.0.0.1 */
  readonly networks: Networks | undefined;
  readonly surroundings: Surroundings;
  /**
   * Members that clients do not connect to, as behind a load balancer that asks `/readyz`. With sessions in RAM, one that
   * is cut off goes on with the sessions of its own, while others have begun new ones for the same clients.
   */
  readonly avoided: Set<string> = new Set();
  readonly #options: ClusterOptions;
  readonly #folder: string;

  private constructor(options: ClusterOptions, folder: string, nats: NatsTrio, networks: Networks | undefined) {
    this.#options = options;
    this.#folder = folder;
    this.nats = nats;
    this.networks = networks;
    this.members = MEMBERS.map((name) => this.#member(name));
    const { random } = options;
    this.surroundings = {
      ...realSurroundings,
      dial: (_port, _clientId, version, owner, opened) => {
        const open = this.members.filter(({ name, port }) => port !== undefined && !this.avoided.has(name));
        const { name, port } = open.length === 0 ? NOBODY : random.pick(open);
        if (port === undefined) return noLink(owner);
        return new Link(port, version, owner, opened, networks?.place(name).clientHost);
      },
    };
  }

  /** Starts NATS; the members are started by `start`. */
  static async make(options: ClusterOptions): Promise<ClusterUnderTest> {
    const folder = mkdtempSync(join(tmpdir(), "wrenmq-crash-cluster-"));
    const servers = Array.from({ length: options.servers }, (_, n) => `s${n}`);
    const networks = options.partitions ? await Networks.make([...MEMBERS, ...servers]) : undefined;
    const place = (name: string): NatsPlace => networks?.place(name) ?? { host: "127.0.0.1" };
    try {
      const nats = await NatsTrio.start(
        NAME,
        servers.map(place),
        // What the journals need depends on their number: these members may do everything.
        options.replicas === 0 ? {} : { authorization: { users: [{ user: USER.username, password: USER.password }] } },
      );
      return new ClusterUnderTest(options, folder, nats, networks);
    } catch (error) {
      await networks?.[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Sessions end with their member, and cannot be moved to another one. */
  get isInMemory(): boolean {
    return this.#options.replicas === 0;
  }

  async start(): Promise<void> {
    await Promise.all(this.members.map((member) => member.start()));
  }

  /** Is everybody up, as everybody sees it, and may acknowledge? */
  async isWhole(): Promise<boolean> {
    for (const member of this.members) {
      const status = member.port === undefined ? undefined : await member.ask("cluster.status");
      if (status?.["up"] !== MEMBERS.length || status["members"] !== MEMBERS.length) return false;
      if (status["isCertain"] !== true || status["unservedPartitions"] !== 0) return false;
    }
    return true;
  }

  /** What each member says of itself, for people. */
  async state(): Promise<string> {
    const commands = ["cluster.members", "stats", "clients.list", "sessions.list"];
    const said = await Promise.all(
      this.members.map(async (member) => {
        const answers = await Promise.all(
          commands.map(async (command) => [command, await member.ask(command)] as const),
        );
        return [member.name, Object.fromEntries(answers)] as const;
      }),
    );
    return JSON.stringify(Object.fromEntries(said), undefined, 1);
  }

  /** What has ended by itself. */
  get ownEnds(): string[] {
    return this.members.flatMap(({ ownEnds }) => ownEnds);
  }

  /** As an operator does it: another member is asked to drain this one. @returns what went wrong */
  async drain(member: MemberProcess): Promise<string | undefined> {
    const asked = this.members.find((one) => one !== member && one.port !== undefined) ?? member;
    const socket = join(this.#folder, "wrenmq", `${asked.pid}.sock`);
    const { program } = this.#options;
    const { code, stdout, stderr } = await runProgram(program, ["cluster", "drain", member.name, "--socket", socket]);
    return code === 0 ? undefined : `cluster drain ${member.name}: exit code ${code}: ${stdout}${stderr}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.members) member.signal("SIGCONT");
    await Promise.all(this.members.map((member) => member.end("SIGKILL")));
    await this.nats[Symbol.asyncDispose]();
    await this.networks?.[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #member(name: string): MemberProcess {
    const { program, replicas, log } = this.#options;
    const place = this.networks?.place(name);
    const configFile = join(this.#folder, `${name}.yaml`);
    const config = {
      listeners: { default: { bind: `${place?.clientHost ?? "127.0.0.1"}:0` } },
      plugins: { anonymous: {} },
      cluster: {
        name: NAME,
        member: name,
        servers: this.nats.urls,
        ...USER,
        ...(replicas === 0 ? {} : { replicas }),
      },
      ...(replicas === 0 ? {} : { store: { path: join(this.#folder, `data-${name}`) } }),
    };
    writeFileSync(configFile, JSON.stringify(config));
    const options = { name, program, configFile, runtime: this.#folder, log };
    return new MemberProcess(place === undefined ? options : { ...options, within: place.within });
  }
}

/** A connection that nobody has taken. */
function noLink(owner: LinkOwner): ClientLink {
  let isOpen = true;
  const destroy = (): void => {
    if (isOpen) owner.closed();
    isOpen = false;
  };
  realSurroundings.setTimer(destroy, 1);
  return { send: () => {}, destroy };
}
