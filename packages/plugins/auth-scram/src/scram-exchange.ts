// The server's side of one SCRAM-SHA-256 exchange (RFC 5802 and 7677), without channel binding. Takes and returns
// messages; does no I/O.
import { randomBytes, timingSafeEqual } from "node:crypto";
import { type AuthenticationExchange, type AuthenticationStep, ReasonCode } from "@wrenmq/plugin-api";
import { hash, hmac, type ScramCredentials } from "./credentials.ts";

export interface ScramUsers {
  /** undefined: there is no such user */
  find(username: string): ScramCredentials | undefined;
  /** Credentials for an unknown user, always the same for a name, so that it looks like a known one. */
  decoy(username: string): ScramCredentials;
}

const FAILURE: AuthenticationStep = { status: "failure", reasonCode: ReasonCode.NotAuthorized };

type State =
  | { readonly step: "first" }
  | {
      readonly step: "final";
      readonly username: string;
      readonly credentials: ScramCredentials;
      readonly known: boolean;
      readonly header: string;
      readonly nonce: string;
      /** client-first-bare and server-first, each followed by a comma. */
      readonly messages: string;
    }
  | { readonly step: "over" };

export class ScramExchange implements AuthenticationExchange {
  readonly #users: ScramUsers;
  readonly #expectedUser: string | undefined;
  readonly #makeNonce: () => string;
  #state: State = { step: "first" };

  /**
   * @param expectedUser the user name of CONNECT, or the one that is authenticated already; the client must use the
   * same
   */
  constructor(users: ScramUsers, expectedUser: string | undefined, makeNonce: () => string = randomNonce) {
    this.#users = users;
    this.#expectedUser = expectedUser === "" ? undefined : expectedUser;
    this.#makeNonce = makeNonce;
  }

  next(data: Uint8Array | undefined): AuthenticationStep {
    const state = this.#state;
    this.#state = { step: "over" };
    if (state.step === "over") return FAILURE;
    const text = decode(data);
    if (text === undefined) return FAILURE;
    if (state.step === "final") return this.#final(state, text);
    if (text === "") {
      // The client has sent no first message: ask for it.
      this.#state = state;
      return { status: "continue" };
    }
    return this.#first(text);
  }

  #first(text: string): AuthenticationStep {
    const parts = /^([ny],(?:a=([^,]*))?,)(n=([^,]*),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/s.exec(text);
    if (parts === null) return FAILURE; // also "p=…" (channel binding) and "m=…" (mandatory extensions)
    const [, header = "", authorizationId, bare = "", encodedName = "", clientNonce = ""] = parts;
    const username = decodeName(encodedName);
    if (username === undefined || username === "") return FAILURE;
    if (authorizationId !== undefined && authorizationId !== "" && decodeName(authorizationId) !== username)
      return FAILURE;
    if (this.#expectedUser !== undefined && this.#expectedUser !== username) return FAILURE;

    const found = this.#users.find(username);
    const credentials = found ?? this.#users.decoy(username);
    const nonce = clientNonce + this.#makeNonce();
    const reply = `r=${nonce},s=${credentials.salt.toString("base64")},i=${credentials.iterations}`;
    const messages = `${bare},${reply},`;
    this.#state = { step: "final", username, credentials, known: found !== undefined, header, nonce, messages };
    return { status: "continue", data: encode(reply) };
  }

  #final(state: State & { step: "final" }, text: string): AuthenticationStep {
    const proofAt = text.lastIndexOf(",p=");
    if (proofAt === -1) return FAILURE;
    const withoutProof = text.slice(0, proofAt);
    const [binding, nonce] = withoutProof.split(",");
    const expectedBinding = `c=${Buffer.from(state.header).toString("base64")}`;
    if (binding !== expectedBinding || nonce !== `r=${state.nonce}`) return FAILURE;
    const proof = Buffer.from(text.slice(proofAt + 3), "base64");
    const { storedKey, serverKey } = state.credentials;
    const authMessage = state.messages + withoutProof;
    const signature = hmac(storedKey, authMessage);
    if (proof.length !== signature.length) return FAILURE;
    for (const [index, byte] of signature.entries()) proof.writeUInt8(proof.readUInt8(index) ^ byte, index);
    if (!timingSafeEqual(hash(proof), storedKey) || !state.known) return FAILURE;
    return {
      status: "success",
      data: encode(`v=${hmac(serverKey, authMessage).toString("base64")}`),
      identity: {
        reasonCode: ReasonCode.Success,
        username: state.username,
        rule: `SCRAM-SHA-256 of ${state.username}`,
      },
    };
  }
}

function randomNonce(): string {
  return randomBytes(18).toString("base64");
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function decode(data: Uint8Array | undefined): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(data);
  } catch {
    return undefined;
  }
}

/** "=2C" is a comma and "=3D" an equals sign; any other "=" is an error (RFC 5802, section 5.1). */
function decodeName(encoded: string): string | undefined {
  if (/=(?!2C|3D)/.test(encoded)) return undefined;
  return encoded.replaceAll("=2C", ",").replaceAll("=3D", "=");
}
