// Bits of the flags of a queue entry, the same in memory and in the journal. 0x80 is used in memory only.

export const QOS2 = 0x01;
export const RETAIN = 0x02;
export const STATE_SHIFT = 2;
export const STATE_MASK = 0x0c;
export const HAS_IDENTIFIERS = 0x10;
export const HAS_PACKET_ID = 0x20;
export const HAS_BODY = 0x40;

/** The state, one of `STATES` by number, of an entry whose PUBREL was sent. */
export const AWAIT_PUBCOMP = 3;
