// A message that must reach its peers once and for certain: it has a number by which a peer knows whether it has taken it,
// and is sent again over every new link until the peer has answered. Whoever makes parcels keeps them durable.
import type { Message } from "@wrenmq/protocol";
import { ForwardTicket } from "./forward-ticket.ts";

/** Where numbers come from: a store and one run of a process on it, both named by chance. */
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
