// How an option is written in a configuration file. The reader of such files, the JSON Schema for editors and the
// documentation are made from it. Plain data.

export type Form =
  | { readonly kind: "text"; readonly what: string }
  /** Masked wherever the configuration is printed. */
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
  /** Anything; only the plugin checks it. */
  | { readonly kind: "any" };

/** Documentation of one option, also shown by editors. */
export interface About {
  /** One or two sentences; Markdown. */
  readonly doc: string;
  /** Key in a configuration file. Default: the option's name in snake_case, without `Seconds` at its end. */
  readonly key?: string;
}

/** The key of an option in a configuration file, where the unit is part of the value: `rememberSeconds: 300` is `remember: 300s`. */
export function keyOf(property: string, about: About | undefined): string {
  if (about?.key !== undefined) return about.key;
  const bare = property.replace(/(?<=.)Seconds$/, "");
  return bare.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
