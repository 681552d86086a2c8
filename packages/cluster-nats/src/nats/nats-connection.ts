// The connection to NATS: made with patience, kept for ever, with credentials from a file.
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import {
  type Authenticator,
  AuthorizationError,
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
  UserAuthenticationExpiredError,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";
import { ClusterError } from "@wrenmq/cluster";

export interface NatsTls {
  /** Default: those of Node. */
  readonly caFile?: string;
  /** Certificate of this member. Default: none. */
  readonly certFile?: string;
  /** Its key. Default: none. */
  readonly keyFile?: string;
}

export interface NatsOptions {
  /** `nats://host:port` or `tls://host:port`. */
  readonly servers: readonly string[];
  /** A NATS credentials file, or one with the seed of an nkey. Default: `username` and `password`. */
  readonly credentialsFile?: string;
  /** Default: no credentials. */
  readonly username?: string;
  /** Default: none. */
  readonly password?: string;
  /** Default: TLS if the server requires it, with the certificate authorities of Node. */
  readonly tls?: NatsTls;
}

/** Milliseconds between two attempts, and for each. */
const RETRY = 500;
const ATTEMPT = 2_000;
/** Milliseconds between two questions whether the server is still there, of which two may be unanswered. */
const PING = 1_000;

/**
 * Tries until there is a connection.
 * @param said gets one line when the first attempt has failed
 * @throws ClusterError ERR_CLUSTER_NATS: the credentials are refused or cannot be read; the signal's reason
 */
export async function connectToNats(
  options: NatsOptions,
  name: string,
  { signal, said }: { readonly signal: AbortSignal; said(line: string): void },
): Promise<NatsConnection> {
  const authenticator = await authenticatorOf(options);
  const wanted: ConnectionOptions = {
    servers: [...options.servers],
    name,
    timeout: ATTEMPT,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    reconnectJitter: 100,
    pingInterval: PING,
    maxPingOut: 2,
    // Once it has been accepted, a refusal may be a server that has not read its configuration yet.
    ignoreAuthErrorAbort: true,
    ...(authenticator === undefined ? {} : { authenticator }),
    ...tlsOf(options),
  };
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await connect(wanted);
    } catch (cause) {
      if (cause instanceof AuthorizationError || cause instanceof UserAuthenticationExpiredError) {
        throw new ClusterError("ERR_CLUSTER_NATS", `NATS (${places(options)}) refuses the credentials`, { cause });
      }
      if (attempt === 1)
        said(`NATS (${places(options)}) cannot be reached: ${reasonOf(cause)}; trying again until it can`);
    }
    await sleep(RETRY, signal);
  }
}

/** The client checks the certificate of a server that is named by its address against "localhost". */
function tlsOf({ servers, tls }: NatsOptions): { readonly tls?: object } {
  if (tls === undefined && !servers.some((server) => server.startsWith("tls://"))) return {};
  const addresses = servers.map(hostOf).filter((host) => isIP(host) > 0);
  const checkIdentity: typeof checkServerIdentity = (host, certificate) => {
    const isNamed = servers.some((server) => hostOf(server) === host);
    const hosts = isNamed || addresses.length === 0 ? [host] : addresses;
    const errors = hosts.map((one) => checkServerIdentity(one, certificate));
    return errors.includes(undefined) ? undefined : errors[0];
  };
  return { tls: { ...tls, checkServerIdentity: checkIdentity } };
}

function hostOf(server: string): string {
  const { hostname } = new URL(server.includes("://") ? server : `nats://${server}`);
  return hostname.replaceAll(/[[\]]/g, "");
}

export function places({ servers }: NatsOptions): string {
  return servers.join(", ");
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** @throws the signal's reason */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", aborted, { once: true });
  });
}

async function authenticatorOf({
  credentialsFile,
  username,
  password,
}: NatsOptions): Promise<Authenticator | undefined> {
  if (credentialsFile === undefined) {
    return username === undefined ? undefined : usernamePasswordAuthenticator(username, password);
  }
  let bytes: Uint8Array;
  try {
    bytes = await readFile(credentialsFile);
  } catch (cause) {
    throw new ClusterError("ERR_CLUSTER_NATS", `cluster.credentials_file: ${reasonOf(cause)}`, { cause });
  }
  const text = new TextDecoder().decode(bytes).trim();
  if (/^SU[A-Z2-7]{56}$/.test(text)) return nkeyAuthenticator(new TextEncoder().encode(text));
  if (text.includes("BEGIN NATS USER JWT")) return credsAuthenticator(bytes);
  throw new ClusterError(
    "ERR_CLUSTER_NATS",
    `cluster.credentials_file: ${credentialsFile} has neither NATS credentials nor the seed of an nkey of a user`,
  );
}
