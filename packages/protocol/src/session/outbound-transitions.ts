// The sender's side of QoS 1 and 2 as one table: every state × every acknowledgement. [MQTT5 4.3.2, 4.3.3]

/** Where an outbound message stands. 0 is no message. */
export const OutboundState = { AwaitPuback: 1, AwaitPubrec: 2, AwaitPubcomp: 3 } as const;
export type OutboundState = (typeof OutboundState)[keyof typeof OutboundState];

/** PubrecRefused is a PUBREC with a reason code of 0x80 or above. */
export const AckKind = { Puback: 0, Pubrec: 1, PubrecRefused: 2, Pubcomp: 3 } as const;
export type AckKind = (typeof AckKind)[keyof typeof AckKind];

/** What an acknowledgement does: ends the exchange, breaks the protocol, or leads to a state (and a PUBREL is sent). */
export type OutboundStep = "done" | "violation" | typeof OutboundState.AwaitPubcomp;

/*
 *   QoS 1   AwaitPuback ── PUBACK ──► done
 *   QoS 2   AwaitPubrec ── PUBREC ──► AwaitPubcomp ── PUBCOMP ──► done
 *                └── PUBREC ≥ 0x80 ──► done (no PUBREL)     PUBREC again: PUBREL again
 */
export const OUTBOUND_NEXT: Readonly<Record<OutboundState, Readonly<Record<AckKind, OutboundStep>>>> = {
  [OutboundState.AwaitPuback]: {
    [AckKind.Puback]: "done",
    [AckKind.Pubrec]: "violation",
    [AckKind.PubrecRefused]: "violation",
    [AckKind.Pubcomp]: "violation",
  },
  [OutboundState.AwaitPubrec]: {
    [AckKind.Puback]: "violation",
    [AckKind.Pubrec]: OutboundState.AwaitPubcomp,
    [AckKind.PubrecRefused]: "done",
    [AckKind.Pubcomp]: "violation",
  },
  [OutboundState.AwaitPubcomp]: {
    [AckKind.Puback]: "violation",
    [AckKind.Pubrec]: OutboundState.AwaitPubcomp,
    [AckKind.PubrecRefused]: "done",
    [AckKind.Pubcomp]: "done",
  },
};
