// How an option is written in a configuration file: what reads such files, completes them in an editor and documents them
// is made from it. Plain data.

export type Form =
  | { readonly kind: "text"; readonly what: string }
  /** Masked wherever the configuration is shown. */
  | { readonly kind: "secret" }
  /** A URL that may contain a password, which is masked. */
  | { readonly kind: "secret-url"; readonly what: string }
  /** The path of a file that has to exist. */
  | { readonly kind: "file" }
  | { readonly kind: "flag" }
  | { readonly kind: "integer"; readonly min: number; readonly max: number }
  /** A whole number; 0 may be written as "unlimited". */
  | { readonly kind: "count" }
  | { readonly kind: "choice"; readonly words: readonly string[] }
  /** Written with its unit: "30s", "500ms". */
  | { readonly kind: "duration"; readonly unit: "s" | "ms"; readonly positive: boolean }
  /** Bytes, written with their unit: "8KiB". */
  | { readonly kind: "size"; readonly min: number }
  | { readonly kind: "list"; readonly item: Form; readonly what: string | undefined }
  | { readonly kind: "map"; readonly item: Form; readonly what: string | undefined }
  /** What only the plugin knows. */
  | { readonly kind: "any" };

/** Words for the documentation and for editors, about one option. */
export interface About {
  /** One or two sentences; Markdown. */
  readonly doc: string;
  /** In a configuration file, where it is not the option's name in snake_case without its unit. */
  readonly key?: string;
}

/** `rememberSeconds` is `remember: 300s` in a file: the unit stands in the value. */
export function keyOf(property: string, about: About | undefined): string {
  if (about?.key !== undefined) return about.key;
  const bare = property.replace(/(?<=.)(?:Seconds|Ms)$/, "");
  return bare.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
