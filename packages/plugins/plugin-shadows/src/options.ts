// The options of this plugin. The keys of configuration files, the JSON Schema and the tables of the documentation are made from
// them.
import {
  about,
  boolean,
  bytes,
  count,
  list,
  optional,
  options,
  type SchemaOf,
  type Settled,
  secretUrl,
  string,
  withDefault,
} from "@wrenmq/plugin-api/options";

export interface PluginShadowsOptions {
  /** Serve the shadow topics. Default true. */
  readonly serve?: boolean;
  /** Allow users only the topics `$shadow/<their name>/…`. Default false. */
  readonly authorize?: boolean;
  /** Database URL. Default: shadows are stored in the broker's store. */
  readonly connection?: string;
  /** Users who may use every shadow. Default: none. */
  readonly superusers?: readonly string[];
  /** Bytes of a request and of a shadow's state. Default 8192. */
  readonly maxBytes?: number;
  /** Versions of each shadow to keep in a database; 0 keeps all. Default 100, in a table of aMQTT's all. */
  readonly keepVersions?: number;
}

export const OPTIONS: SchemaOf<Settled<PluginShadowsOptions, "connection" | "keepVersions">> = options(
  {
    serve: about("Serve the shadow topics.", boolean({ default: true })),
    authorize: about("Allow users only the topics `$shadow/<their name>/…`.", boolean({ default: false })),
    connection: about(
      "Database of the shadows; without it: the broker's store.",
      optional(secretUrl("a database URL such as sqlite:///auth.db or postgresql://user:password@host/db")),
    ),
    superusers: about("Users who may use every shadow.", withDefault(list(string(), "a list of user names"), [])),
    maxBytes: about("Size of a request and of a shadow's state.", bytes({ min: 2, default: 8192 })),
    keepVersions: about(
      "Versions of each shadow to keep in a database; 0: all. Without it 100, in a table of aMQTT's all.",
      optional(count()),
    ),
  },
  { doc: "Device shadows under `$shadow/`." },
);
