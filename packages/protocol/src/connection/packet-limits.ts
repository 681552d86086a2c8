// Bounds of single packets without an option: far beyond what anybody needs, but low enough that one client does not
// burden the others. The size of packets has an option; the memory of a decoded packet depends on its parts.

/**
 * Bytes of a CONNECT: five fields of up to 64 KiB and properties. A client that is not authenticated gets no more
 * memory.
 */
export const LARGEST_CONNECT: number = 512 * 1024;

/** User properties of a CONNECT, with those of its Will: they are kept as long as the session. */
export const MOST_ITEMS_OF_CONNECT = 1_000;

/** User properties and topic filters of any other packet. */
export const MOST_ITEMS = 100_000;
