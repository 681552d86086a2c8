// The two operations on a directory: find a user, and check a password. The user name is a value of the search request,
// never part of a filter's text, so it cannot change the search.
import { randomBytes } from "node:crypto";
import type { ConnectionOptions } from "node:tls";
import {
  Client,
  type Entry,
  EqualityFilter,
  InvalidCredentialsError,
  NoSuchObjectError,
  SizeLimitExceededError,
} from "ldapts";

export interface DirectoryOptions {
  readonly server: string;
  readonly baseDn: string;
  readonly userAttribute: string;
  readonly bindDn: string;
  readonly bindPassword: string;
  /** Attributes to read besides the user's name. */
  readonly attributes: readonly string[];
  readonly startTls: boolean;
  readonly tlsOptions: ConnectionOptions | undefined;
  /** Milliseconds. */
  readonly timeout: number;
}

export interface DirectoryUser {
  readonly dn: string;
  /** The name as the directory has it, which may differ in case. */
  readonly name: string;
  readonly values: (attribute: string) => readonly string[];
}

export class Directory {
  readonly #options: DirectoryOptions;
  #searcher: Promise<Client> | undefined;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** @returns undefined: no user, or more than one. Rejects when the directory cannot be reached */
  async find(username: string): Promise<DirectoryUser | undefined> {
    const entries = await this.#search(username);
    const [entry] = entries;
    if (entry === undefined || entries.length > 1) return undefined;
    const values = (attribute: string) => textsOf(entry, attribute);
    const names = values(this.#options.userAttribute);
    const name = names.find((one) => one === username) ?? names.find((one) => same(one, username));
    return name === undefined ? undefined : { dn: entry.dn, name, values };
  }

  /** Is this the user's password? For an unknown user a bind is tried too, with a name that does not exist. */
  async verify(user: DirectoryUser | undefined, password: string): Promise<boolean> {
    if (password === "") return false; // a bind without password succeeds: it asks for anonymous access [RFC 4513 5.1.2]
    const client = this.#client();
    try {
      await this.#secure(client);
      await client.bind(user?.dn ?? `cn=${randomBytes(8).toString("hex")},${this.#options.baseDn}`, password);
      return user !== undefined;
    } catch (error) {
      if (error instanceof InvalidCredentialsError || error instanceof NoSuchObjectError) return false;
      throw error;
    } finally {
      await client.unbind().catch(() => {});
    }
  }

  async close(): Promise<void> {
    const searcher = this.#searcher;
    this.#searcher = undefined;
    await searcher?.then((client) => client.unbind()).catch(() => {});
  }

  async #search(username: string): Promise<readonly Entry[]> {
    const { baseDn, userAttribute, attributes, timeout } = this.#options;
    const filter = new EqualityFilter({ attribute: userAttribute, value: username });
    const ask = async (): Promise<readonly Entry[]> => {
      const client = await this.#connected();
      const wanted = [userAttribute, ...attributes];
      const limits = { sizeLimit: 2, timeLimit: Math.ceil(timeout / 1000) };
      const { searchEntries } = await client.search(baseDn, { scope: "sub", filter, attributes: wanted, ...limits });
      return searchEntries;
    };
    try {
      return await ask();
    } catch (error) {
      if (error instanceof SizeLimitExceededError || error instanceof NoSuchObjectError) return [];
      await this.close(); // the directory may have closed an idle connection: try once more with a new one
      return ask();
    }
  }

  /** The connection for searches, opened and bound when it is first needed. */
  #connected(): Promise<Client> {
    this.#searcher ??= (async () => {
      const client = this.#client();
      try {
        await this.#secure(client);
        await client.bind(this.#options.bindDn, this.#options.bindPassword);
      } catch (error) {
        await client.unbind().catch(() => {});
        throw error;
      }
      return client;
    })();
    const attempt = this.#searcher;
    attempt.catch(() => {
      if (this.#searcher === attempt) this.#searcher = undefined;
    });
    return attempt;
  }

  #client(): Client {
    const { server, timeout, tlsOptions } = this.#options;
    const secure = server.startsWith("ldaps:") && tlsOptions !== undefined;
    return new Client({
      url: server,
      timeout,
      connectTimeout: timeout,
      ...(secure ? { tlsOptions } : {}),
    });
  }

  async #secure(client: Client): Promise<void> {
    if (this.#options.startTls) await client.startTLS(this.#options.tlsOptions ?? {});
  }
}

function textsOf(entry: Entry, attribute: string): string[] {
  const key = Object.keys(entry).find((one) => one.toLowerCase() === attribute.toLowerCase());
  const value = key === undefined ? undefined : entry[key];
  const values = value === undefined ? [] : Array.isArray(value) ? value : [value];
  return values.map((one) => (typeof one === "string" ? one : one.toString("utf8")));
}

/** Directories ignore case and surrounding spaces in names. */
function same(one: string, other: string): boolean {
  return one.normalize("NFKC").trim().toLowerCase() === other.normalize("NFKC").trim().toLowerCase();
}
