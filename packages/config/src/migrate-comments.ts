// Moves the comments of an old file to the new one: each is placed before the translation of the line that it preceded.
import { type CST, type Document, isMap, type Pair, Parser, type Scalar, type YAMLMap } from "yaml";
import { lookUp, type SourceNode } from "./source-node.ts";

interface Comment {
  /** Without the `#`. */
  readonly text: string;
  /** The line that the comment is about, and the key at its beginning. */
  readonly line: number;
  readonly key: string;
  /** The comment follows something in its line. */
  readonly isTrailing: boolean;
}

/** A key of the new file, and the line of the old file that it is made of. */
interface Origin {
  readonly pair: Pair<Scalar, unknown>;
  readonly line: number;
  readonly depth: number;
}

/** @param tree the native tree that `document` was made of, with places in the old text */
export function keepComments(text: string, document: Document, tree: SourceNode): void {
  const origins = isMap(document.contents) ? originsOf(document.contents as YAMLMap<Scalar>, tree, 0) : [];
  const comments = commentsOf(text);
  const head = headOf(text);
  for (const comment of comments.slice(0, head)) document.commentBefore = joined(document.commentBefore, comment.text);
  for (const comment of comments.slice(head)) {
    const origin = originOf(comment, origins);
    if (origin === undefined) document.comment = joined(document.comment, comment.text);
    else origin.pair.key.commentBefore = joined(origin.pair.key.commentBefore, comment.text);
  }
}

/** The number of comments at the top that are followed by a blank line: they are about the whole file. */
const headOf = (text: string): number =>
  /^\s*((?:[ \t]*#.*\n)+)[ \t]*\n/.exec(text)?.[1]?.trimEnd().split("\n").length ?? 0;

const joined = (before: string | null | undefined, text: string): string => (before ? `${before}\n${text}` : text);

function originsOf(written: YAMLMap<Scalar>, node: SourceNode, depth: number, root: SourceNode = node): Origin[] {
  return written.items.flatMap((pair): Origin[] => {
    const key = String(pair.key.value);
    const place = node.kind === "map" ? node.entries.find((each) => each.key === key)?.place : undefined;
    const value = lookUp(node, key);
    // What the old file does not have is placed at its beginning; `listeners` may be there too, the only key of both
    // styles.
    const isMadeUp = place?.line === root.place.line && place?.column === root.place.column;
    const isOwn = place?.line !== undefined && (!isMadeUp || (depth === 0 && key === "listeners"));
    const own = isOwn ? [{ pair, line: place.line as number, depth }] : [];
    return isMap(pair.value) && value
      ? [...own, ...originsOf(pair.value as YAMLMap<Scalar>, value, depth + 1, root)]
      : own;
  });
}

/** The key of that line that has kept its name, or the outermost one; without one, of the nearest line below. */
function originOf({ line, key, isTrailing }: Comment, origins: readonly Origin[]): Origin | undefined {
  const same = origins.find((each) => each.line === line && each.pair.key.value === key);
  if (same !== undefined) return same;
  const after = origins.filter((each) => each.line >= line).sort((a, b) => a.line - b.line || a.depth - b.depth);
  if (after[0] !== undefined || !isTrailing) return after[0];
  return origins.filter((each) => each.line < line).sort((a, b) => b.line - a.line || b.depth - a.depth)[0];
}

function commentsOf(text: string): Comment[] {
  const lines = text.split("\n");
  const found = [...new Parser().parse(text)].flatMap(tokensIn).sort((a, b) => a.offset - b.offset);
  return found.map(({ offset, source }) => {
    const before = text.slice(0, offset);
    const own = before.split("\n").length;
    const isTrailing = /\S/.test(before.slice(before.lastIndexOf("\n") + 1));
    let line = own;
    while (!isTrailing && line <= lines.length && /^\s*(#.*)?$/.test(lines[line - 1] ?? "")) line += 1;
    const key = /^\s*(?:- +)?["']?([^"':\s]+)/.exec(lines[line - 1] ?? "")?.[1] ?? "";
    return { text: source.slice(1).trimEnd(), line, key, isTrailing };
  });
}

/** Every comment below a token, wherever the parser has put it. */
function commentTokens(token: CST.Token): CST.SourceToken[] {
  return Object.values(token).flatMap((value: unknown): CST.SourceToken[] => {
    if (Array.isArray(value)) return value.flatMap((each: unknown) => (isToken(each) ? tokensIn(each) : []));
    return isToken(value) ? tokensIn(value) : [];
  });
}

function tokensIn(token: CST.Token | CST.SourceToken): CST.SourceToken[] {
  return token.type === "comment" ? [token as CST.SourceToken] : commentTokens(token as CST.Token);
}

const isToken = (value: unknown): value is CST.Token => typeof value === "object" && value !== null;
