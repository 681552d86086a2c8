// The environment of clients: time, and connections to the broker. The system's, or simulated ones.
import type { ProtocolVersion } from "@wrenmq/codec";
import { type ClientLink, Link, type LinkOwner } from "./clients/link.ts";

export type Cancel = () => void;

export interface Surroundings {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Calls back once.
   * @returns a function that cancels
   */
  setTimer(callback: () => void, milliseconds: number): Cancel;
  /** @param opened called when the connection is open */
  dial(port: number, clientId: string, version: ProtocolVersion, owner: LinkOwner, opened: () => void): ClientLink;
}

export const realSurroundings: Surroundings = {
  now: () => Date.now(),
  setTimer(callback, milliseconds) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
  dial: (port, _clientId, version, owner, opened) => new Link(port, version, owner, opened),
};
