// The options of this plugin. The keys of configuration files, the JSON Schema and the tables of the documentation are made from
// them.
import { about, boolean, oneOf, options, type SchemaOf, type Settled } from "@wrenmq/plugin-api/options";

export interface AuthAnonymousOptions {
  /** Admit clients without a user name. Default true. */
  readonly allow?: boolean;
  /**
   * `ignore`: no opinion about clients with a user name. `allow`: admit them without a password, under that user name,
   * as aMQTT does; another plugin may still refuse them. Default ignore.
   */
  readonly namedUsers?: "ignore" | "allow";
}

export const OPTIONS: SchemaOf<Settled<AuthAnonymousOptions>> = options(
  {
    allow: about("Admit clients without a user name.", boolean({ default: true })),
    namedUsers: about(
      "`ignore`: no opinion about clients with a user name. `allow`: admit them without a password, under their user name (another plugin may still refuse them).",
      oneOf(["ignore", "allow"], { default: "ignore" }),
    ),
  },
  { doc: "Admits or refuses clients without a user name." },
);
