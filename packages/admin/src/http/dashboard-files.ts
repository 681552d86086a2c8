// The files of the dashboard, read into a table at the start: a path is looked up there and never names a file.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join, relative, sep } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
};

/** No code in the page itself, nothing from other servers, in no frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS = {
  "x-content-type-options": "nosniff",
  "content-security-policy": POLICY,
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  vary: "accept-encoding",
} as const;

/** In order of preference. */
const ENCODINGS = [
  { name: "br", extension: ".br" },
  { name: "gzip", extension: ".gz" },
] as const;

interface StaticFile {
  readonly type: string;
  readonly etag: string;
  readonly caching: string;
  readonly plain: Buffer;
  /** By the name of the encoding. */
  readonly compressed: ReadonlyMap<string, Buffer>;
}

export class DashboardFiles {
  readonly #files: ReadonlyMap<string, StaticFile>;

  private constructor(files: ReadonlyMap<string, StaticFile>) {
    this.#files = files;
  }

  /** @returns undefined: the folder has no dashboard */
  static async read(folder: string): Promise<DashboardFiles | undefined> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    const files = new Map<string, StaticFile>();
    for (const entry of entries) {
      const type = TYPES[entry.name.slice(entry.name.lastIndexOf(".") + 1)];
      if (!entry.isFile() || type === undefined) continue;
      const file = join(entry.parentPath, entry.name);
      files.set(`/${relative(folder, file).split(sep).join("/")}`, await fileOf(file, type));
    }
    const index = files.get("/index.html");
    if (index === undefined) return undefined;
    files.set("/", index);
    return new DashboardFiles(files);
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  /** Answers a GET or HEAD of a path that there is. */
  answer(path: string, request: IncomingMessage, response: ServerResponse): void {
    const file = this.#files.get(path);
    if (file === undefined) return;
    const headers = { ...HEADERS, etag: file.etag, "cache-control": file.caching };
    if (request.headers["if-none-match"] === file.etag) {
      response.writeHead(304, headers).end();
      return;
    }
    const accepted = String(request.headers["accept-encoding"] ?? "");
    const encoding = ENCODINGS.find(({ name }) => file.compressed.has(name) && accepts(accepted, name))?.name;
    const body = (encoding === undefined ? undefined : file.compressed.get(encoding)) ?? file.plain;
    response.writeHead(200, {
      ...headers,
      "content-type": file.type,
      "content-length": body.length,
      ...(encoding === undefined ? {} : { "content-encoding": encoding }),
    });
    response.end(request.method === "HEAD" ? undefined : body);
  }
}

async function fileOf(file: string, type: string): Promise<StaticFile> {
  const plain = await readFile(file);
  const compressed = new Map<string, Buffer>();
  for (const { name, extension } of ENCODINGS) {
    const body = await readFile(file + extension).catch(() => undefined);
    if (body !== undefined) compressed.set(name, body);
  }
  const hash = createHash("sha256").update(plain).digest("base64url").slice(0, 22);
  // Names in this folder change with what is in the files.
  const isHashed = file.includes(`${sep}assets${sep}`);
  return {
    type,
    etag: `"${hash}"`,
    caching: isHashed ? "public, max-age=31536000, immutable" : "no-cache",
    plain,
    compressed,
  };
}

function accepts(header: string, encoding: string): boolean {
  return header.split(",").some((one) => {
    const [name = "", ...parameters] = one.split(";").map((part) => part.trim().toLowerCase());
    return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
