// A plugin that decides as the plugins did while the trace was recorded.
import { ReasonCode } from "@wrenmq/codec";
import type { AuthenticationStep, Hooks, Verdict } from "@wrenmq/plugin-api";
import type { AuthorizeRecord, PacketRecord, TracedPacket, TraceRecord } from "../trace/records.ts";

type Answer = Extract<TracedPacket, { readonly type: "connack" | "auth" | "disconnect" }>;
type Placed = AuthorizeRecord & { readonly index: number };

export class RecordedVerdicts {
  /** The record that is being replayed. */
  position: number = 0;
  /** The connection whose CONNECT or AUTH was sent last. */
  connection: number = 0;
  readonly #authorized = new Map<string, Placed[]>();
  readonly #refused = new Set<string>();
  /** By connection: what ended each step of its authentication. */
  readonly #answers = new Map<number, Answer[]>();
  readonly #methods = new Set<string>();
  readonly #decides: boolean;

  constructor(records: readonly TraceRecord[]) {
    for (const [index, record] of records.entries()) {
      if (record.kind === "authorize") {
        const key = keyOf(record.client, record.action, record.topic);
        const known = this.#authorized.get(key) ?? [];
        this.#authorized.set(key, known);
        known.push({ ...record, index });
      } else if (record.kind === "dropped" && record.reason === "notAuthorized" && record.side === "subscriber") {
        this.#refused.add(keyOf(record.client, "receive", record.message.topic));
      } else if (record.kind === "packet") this.#look(record);
    }
    this.#decides = this.#authorized.size + this.#refused.size > 0;
  }

  hooks(): Hooks {
    const methods = [...this.#methods].map((name) => [name, () => ({ next: () => this.#step() })] as const);
    return {
      authenticate: () => this.#authenticate(),
      authenticationMethods: Object.fromEntries(methods),
      ...(this.#decides
        ? { authorize: ({ clientId }, action, topic) => this.#authorize(keyOf(clientId, action, topic)) }
        : {}),
    };
  }

  #look({ connection, direction, packet }: PacketRecord): void {
    if (packet.type === "connect") {
      const method = packet.properties?.authenticationMethod;
      if (typeof method === "string") this.#methods.add(method);
    } else if (direction === "in") {
      return;
    } else if (packet.type === "connack" || packet.type === "auth" || packet.type === "disconnect") {
      const answers = this.#answers.get(connection) ?? [];
      this.#answers.set(connection, answers);
      answers.push(packet);
    }
  }

  #authenticate(): boolean | Verdict {
    const answer = this.#answers.get(this.connection)?.find(({ type }) => type === "connack");
    const reasonCode = answer?.reasonCode ?? 0;
    return reasonCode < 0x80 ? true : ({ reasonCode, rule: "as it was recorded" } as Verdict);
  }

  #step(): AuthenticationStep {
    const answer = this.#answers.get(this.connection)?.shift();
    const reasonCode = answer?.reasonCode ?? 0;
    if (reasonCode >= 0x80) return { status: "failure", reasonCode } as AuthenticationStep;
    return {
      status: answer?.type === "auth" && reasonCode === ReasonCode.ContinueAuthentication ? "continue" : "success",
    };
  }

  /** The next verdict that was recorded, or else the last one before. */
  #authorize(key: string): boolean | Verdict {
    if (this.#refused.has(key)) return false;
    const known = this.#authorized.get(key) ?? [];
    const found = known.find(({ index }) => index >= this.position) ?? known.at(-1);
    if (found === undefined || found.reasonCode < 0x80) return true;
    return { reasonCode: found.reasonCode, rule: found.rule } as Verdict;
  }
}

function keyOf(client: string, action: string, topic: string): string {
  return JSON.stringify([client, action, topic]);
}
