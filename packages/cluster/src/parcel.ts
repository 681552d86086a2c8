// A message that must reach its peers exactly once: a peer knows by its number whether it has taken it, and it is sent
// again over every new link until the peer has answered. The broker that makes parcels keeps them durable.
import type { Message } from "@wrenmq/protocol";
import { ForwardTicket } from "./forward-ticket.ts";

/** The origin of parcel numbers: a store and one run of a process on it, both with random names. */
export interface Origin {
  readonly store: string;
  readonly run: number;
}

export class Parcel extends ForwardTicket {
  readonly message: Message;
  readonly origin: Origin;
  /** Grows with each parcel of the origin. */
  readonly number: number;

  constructor(message: Message, origin: Origin, number: number) {
    super();
    this.message = message;
    this.origin = origin;
    this.number = number;
  }
}
