// Sends requests to the service over persistent connections. Not with `fetch`: aMQTT's default is a GET with a JSON
// body, which fetch forbids.
import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { HttpResponse } from "./answer.ts";

export interface ServiceOptions {
  readonly host: string;
  readonly port: number;
  readonly withTls: boolean;
  readonly requestMethod: "get" | "post" | "put";
  readonly paramsMode: "json" | "form";
  readonly userAgent: string;
  readonly timeout: number;
}

/** Numbers stay numbers in JSON, and become digits in a form. */
export type QuestionParams = Readonly<Record<string, string | number>>;

const LARGEST_BODY = 64 * 1024;

export class Requester {
  readonly #options: ServiceOptions;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#agent = new (options.withTls ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: 32 });
  }

  /** Rejects when the service cannot be reached, is too slow or answers with more than 64 KiB. */
  ask(path: string, params: QuestionParams): Promise<HttpResponse> {
    const { host, port, withTls, requestMethod, paramsMode, userAgent, timeout } = this.#options;
    const form = new URLSearchParams(
      Object.entries(params).map(([key, value]): [string, string] => [key, String(value)]),
    ).toString();
    const inQuery = requestMethod === "get" && paramsMode === "form";
    const body = inQuery ? "" : paramsMode === "json" ? JSON.stringify(params) : form;
    const options: RequestOptions = {
      agent: this.#agent,
      host,
      port,
      method: requestMethod.toUpperCase(),
      path: inQuery ? `${path}${path.includes("?") ? "&" : "?"}${form}` : path,
      signal: AbortSignal.timeout(timeout),
      headers: {
        "user-agent": userAgent,
        ...(inQuery
          ? {}
          : {
              "content-type": paramsMode === "json" ? "application/json" : "application/x-www-form-urlencoded",
              "content-length": Buffer.byteLength(body),
            }),
      },
    };
    return new Promise((resolve, reject) => {
      const outgoing = (withTls ? httpsRequest : httpRequest)(options, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > LARGEST_BODY) outgoing.destroy(new Error(`the answer is larger than ${LARGEST_BODY} bytes`));
          else chunks.push(chunk);
        });
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
        });
        response.on("error", reject);
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
