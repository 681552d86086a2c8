// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the syntax read here
// `${NAME}` and `${NAME:-default}` in the values of a native file; `$${` stands for `${`.
import type { Problems } from "../diagnostic.ts";
import { list, map, type SourceNode } from "../source-node.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$\$\{|\$\{([^}]*)\}/g;

/** Replaces the references in all values below `node`; an unset variable without a default is an error. */
export function substitute(node: SourceNode, environment: Environment, problems: Problems): SourceNode {
  if (node.kind === "map") {
    const entries = node.entries.map((each) => ({ ...each, value: substitute(each.value, environment, problems) }));
    return map(entries, node.place);
  }
  if (node.kind === "list") {
    return list(
      node.items.map((item) => substitute(item, environment, problems)),
      node.place,
    );
  }
  if (node.kind !== "scalar" || typeof node.value !== "string" || !node.value.includes("${")) return node;
  let references = 0;
  const text = node.value.replaceAll(REFERENCE, (whole: string, inside: string | undefined) => {
    if (inside === undefined) return "${";
    references += 1;
    const parts = /^([A-Za-z_]\w*)(?::-([\s\S]*))?$/.exec(inside);
    if (!parts) {
      problems.error(node.place, `expected \${NAME} or \${NAME:-default}, got ${whole}`);
      return "";
    }
    const [, name = "", fallback] = parts;
    const value = environment[name] || fallback; // ":-" of the shell: empty counts as unset
    if (value === undefined && environment[name] === undefined) {
      problems.error(node.place, `the environment variable ${name} is not set (\${${name}:-default} gives a default)`);
    }
    return value ?? "";
  });
  return {
    kind: "scalar",
    value: references > 0 ? typed(text) : text,
    text,
    untyped: references > 0,
    place: node.place,
  };
}

/** The value that YAML 1.2 makes of a plain word. A field of type text uses the text itself. */
function typed(text: string): string | number | boolean | null {
  if (/^(true|True|TRUE)$/.test(text)) return true;
  if (/^(false|False|FALSE)$/.test(text)) return false;
  if (/^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/.test(text)) return Number(text);
  return text;
}

/** Escapes a text, so that {@link substitute} returns it unchanged. */
export function escapeReferences(text: string): string {
  return text.replaceAll("${", () => "$${");
}
