// The options of this plugin. The keys of configuration files, the JSON Schema and the tables of the documentation are made from
// them.
import { about, list, options, type SchemaOf, type Settled, string, withDefault } from "@wrenmq/plugin-api/options";

export interface AuthTabooOptions {
  /** Topics that are refused. Default: prohibited, top-secret, data/classified. */
  readonly topics?: readonly string[];
  /** Users who may use them. Default admin. */
  readonly exempt?: readonly string[];
}

const TOPICS: readonly string[] = ["prohibited", "top-secret", "data/classified"];

export const OPTIONS: SchemaOf<Settled<AuthTabooOptions>> = options(
  {
    topics: about("Topics, without wildcards.", withDefault(list(string(), "a list of topics"), TOPICS)),
    exempt: about("Users who may use them.", withDefault(list(string(), "a list of user names"), ["admin"])),
  },
  { doc: "Topics that nobody may use (an example)." },
);
