// Bounds of single packets that no option changes: far beyond what anybody needs, and not beyond what one client may cost
// all others. The size of packets has an option; what a packet takes once it is decoded depends on its parts.

/** Bytes of a CONNECT: five fields of up to 64 KiB and properties. Who has not shown who he is gets no more memory. */
export const LARGEST_CONNECT: number = 512 * 1024;

/** User properties of a CONNECT, with those of its Will: they are kept as long as the session. */
export const MOST_ITEMS_OF_CONNECT = 1_000;

/** User properties and topic filters of any other packet. */
export const MOST_ITEMS = 100_000;
