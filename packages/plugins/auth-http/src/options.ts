// The options of this plugin. The keys of configuration files, the JSON Schema and the tables of the documentation are made from
// them.
import {
  about,
  boolean,
  milliseconds,
  number,
  oneOf,
  optional,
  options,
  type SchemaOf,
  type Settled,
  seconds,
  string,
  text,
} from "@wrenmq/plugin-api/options";

export interface AuthHttpOptions {
  /** Decide who may connect. Default true. */
  readonly authenticate?: boolean;
  /** Decide who may use which topic. Default false. */
  readonly authorize?: boolean;
  /** Host name or address of the service. */
  readonly host: string;
  readonly port: number;
  /** HTTPS instead of HTTP. Default false. */
  readonly withTls?: boolean;
  /** Default get. */
  readonly requestMethod?: "get" | "post" | "put";
  /** A JSON body, or a form: in the query of a GET, else in the body. Default json. */
  readonly paramsMode?: "json" | "form";
  /** What of the response is the answer: its status, a JSON object with `ok`, or the text `ok`. Default json. */
  readonly responseMode?: "status" | "json" | "text";
  /** The User-Agent header. Default wrenmq. */
  readonly userAgent?: string;
  /** Path for requests with username, password and client_id. Default /user. */
  readonly userUri?: string;
  /** Path for requests with username, client_id, topic and acc, a number: 1 receive, 2 publish, 4 subscribe. Default /acl. */
  readonly topicUri?: string;
  /** Path for requests with username: users it allows may use every topic. Default: there are no such users. */
  readonly superuserUri?: string;
  /** Milliseconds that an answer may take; later the client is refused. Default 5000. */
  readonly timeout?: number;
  /** Seconds that an answer is cached; 0 caches none. Default 30. */
  readonly cacheSeconds?: number;
  /** Seconds after which connected clients are checked again; 0 never checks. Default 300. */
  readonly recheckSeconds?: number;
}

export const OPTIONS: SchemaOf<Settled<AuthHttpOptions, "superuserUri">> = options(
  {
    authenticate: about("Decide who may connect.", boolean({ default: true })),
    authorize: about("Decide who may use which topic.", boolean({ default: false })),
    host: about("Host of the service.", text("a host name")),
    port: about("Its port.", number({ min: 1, max: 65_535, integer: true })),
    withTls: about("Use https.", boolean({ default: false })),
    requestMethod: about("HTTP method.", oneOf(["get", "post", "put"], { default: "get" })),
    paramsMode: about("Format of the parameters.", oneOf(["json", "form"], { default: "json" })),
    responseMode: about(
      "What of the response is the answer: the status, the key `ok` of a JSON body, or the text `ok`.",
      oneOf(["status", "json", "text"], { default: "json" }),
    ),
    userAgent: about("User-Agent header.", string({ default: "wrenmq" })),
    timeout: about("How long an answer may take.", milliseconds({ min: 1, default: 5000 })),
    userUri: about("Path for requests about users.", text("a path", { default: "/user" })),
    topicUri: about("Path for requests about topics.", text("a path", { default: "/acl" })),
    superuserUri: about("Path for requests whether a user may use every topic.", optional(text("a path"))),
    cacheSeconds: about("Time that an answer is cached; `0s` caches none.", seconds({ default: 30 })),
    recheckSeconds: about(
      "Time after which connected clients are checked again; `0s` never checks.",
      seconds({ default: 300 }),
    ),
  },
  { doc: "An HTTP service decides." },
);
