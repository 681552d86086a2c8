// Addresses of pages: #/clients/ID?sort=dropped. They are in the fragment, so the server knows one page only.

export interface Route {
  readonly page: string;
  /** What follows the page: a client identifier. */
  readonly rest: string | undefined;
  readonly query: Readonly<Record<string, string>>;
}

/** What every page is given. */
export interface PageProps {
  readonly route: Route;
}

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = splitOnce(hash.replace(/^#?\/?/, ""), "?");
  const [page = "", rest] = splitOnce(path, "/");
  return {
    page: page === "" ? "overview" : page,
    rest: rest === undefined || rest === "" ? undefined : decode(rest),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

export function hrefOf(page: string, rest?: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).filter(
    (pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== "",
  );
  const text = new URLSearchParams(given).toString();
  return `#/${page}${rest === undefined ? "" : `/${encodeURIComponent(rest)}`}${text === "" ? "" : `?${text}`}`;
}

function splitOnce(text: string, at: string): [string, string?] {
  const index = text.indexOf(at);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
