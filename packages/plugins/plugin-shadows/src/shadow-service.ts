// Answers requests on shadow topics; requests for one shadow are handled in the order of their arrival.
import type { PluginContext } from "@wrenmq/plugin-api";
import { applyUpdate, EMPTY, type Rejection, readUpdate, type ShadowDocument, type UpdateRequest } from "./document.ts";
import { delta, iota, isEmpty, isObject, type Json, pick } from "./json.ts";
import type { ShadowStore } from "./shadow-store.ts";

export interface ShadowTopic {
  readonly device: string;
  readonly name: string;
  readonly operation: "get" | "update";
}

/** @returns undefined: it is not the topic of a request */
export function parseShadowTopic(topic: string): ShadowTopic | undefined {
  const parts = /^\$shadow\/([^/]+)\/([^/]+)\/(get|update)$/.exec(topic);
  if (parts === null) return undefined;
  const [, device, name, operation] = parts as unknown as [string, string, string, ShadowTopic["operation"]];
  return { device, name, operation };
}

export class ShadowService {
  readonly #context: PluginContext;
  readonly #store: ShadowStore;
  readonly #maxBytes: number;
  /** The last request of each shadow with requests in progress. */
  readonly #queues = new Map<string, Promise<void>>();

  constructor(context: PluginContext, store: ShadowStore, maxBytes: number) {
    this.#context = context;
    this.#store = store;
    this.#maxBytes = maxBytes;
  }

  /** Never rejects. Resolves when the request is answered. */
  handle(topic: ShadowTopic, payload: Uint8Array): Promise<void> {
    const key = `${topic.device}/${topic.name}`;
    const work = (this.#queues.get(key) ?? Promise.resolve()).then(() => this.#answer(topic, payload));
    this.#queues.set(key, work);
    return work.then(() => {
      if (this.#queues.get(key) === work) this.#queues.delete(key);
    });
  }

  /** Resolves when all requests that have arrived are answered. */
  async settled(): Promise<void> {
    await Promise.all(this.#queues.values());
  }

  async #answer(topic: ShadowTopic, payload: Uint8Array): Promise<void> {
    const value = payload.length > this.#maxBytes ? undefined : parse(payload);
    const clientToken = isObject(value) && typeof value["clientToken"] === "string" ? value["clientToken"] : undefined;
    try {
      if (topic.operation === "get") await this.#get(topic, clientToken);
      else if (payload.length > this.#maxBytes) this.#reject(topic, { code: 413, message: "the payload is too large" });
      else await this.#update(topic, readUpdate(value), clientToken);
    } catch (error) {
      this.#context.logger.error({ err: error, device: topic.device, shadow: topic.name }, "shadow not served");
      this.#reject(topic, { code: 500, message: "internal error" }, clientToken);
    }
  }

  async #get(topic: ShadowTopic, clientToken: string | undefined): Promise<void> {
    const document = await this.#store.load(topic.device, topic.name);
    if (document === undefined) return this.#reject(topic, { code: 404, message: "shadow not found" }, clientToken);
    this.#send(topic, "accepted", { ...document, clientToken });
  }

  async #update(
    topic: ShadowTopic,
    request: UpdateRequest | Rejection,
    clientToken: string | undefined,
  ): Promise<void> {
    if ("code" in request) return this.#reject(topic, request, clientToken);
    const before = (await this.#store.load(topic.device, topic.name)) ?? EMPTY;
    const after = applyUpdate(before, request, Math.floor(Date.now() / 1000));
    if ("code" in after) return this.#reject(topic, after, clientToken);
    if (JSON.stringify(after.state).length > this.#maxBytes) {
      return this.#reject(topic, { code: 413, message: "the shadow would become too large" }, clientToken);
    }
    await this.#store.save(topic.device, topic.name, after);
    this.#announce(topic, request, before, after);
  }

  #announce(topic: ShadowTopic, request: UpdateRequest, before: ShadowDocument, after: ShadowDocument): void {
    const { version, timestamp } = after;
    const { clientToken } = request;
    const { desired, reported } = request.state;
    const metadata = {
      ...(isObject(desired) && { desired: pick(after.metadata.desired, desired) }),
      ...(isObject(reported) && { reported: pick(after.metadata.reported, reported) }),
    };
    this.#send(topic, "accepted", { state: request.state, metadata, version, timestamp, clientToken });
    this.#send(topic, "documents", {
      previous: withoutTime(before),
      current: withoutTime(after),
      timestamp,
      clientToken,
    });
    const missing = delta(after.state.desired, after.state.reported);
    if (!isEmpty(missing)) {
      const times = pick(after.metadata.desired, missing);
      this.#send(topic, "delta", { state: missing, metadata: times, version, timestamp, clientToken });
    }
    const different = iota(after.state.desired, after.state.reported);
    if (!isEmpty(different)) this.#send(topic, "iota", { state: different, version, timestamp, clientToken });
  }

  #reject(topic: ShadowTopic, rejection: Rejection, clientToken?: string): void {
    this.#send(topic, "rejected", { ...rejection, timestamp: Math.floor(Date.now() / 1000), clientToken });
  }

  #send({ device, name, operation }: ShadowTopic, what: string, content: object): void {
    this.#context.publish(`$shadow/${device}/${name}/${operation}/${what}`, JSON.stringify(content), { qos: 1 });
  }
}

function withoutTime({ state, metadata, version }: ShadowDocument): object {
  return { state, metadata, version };
}

/** @returns undefined: invalid JSON. An empty payload is an empty request */
function parse(payload: Uint8Array): Json | undefined {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload)) as Json;
  } catch {
    return undefined;
  }
}
