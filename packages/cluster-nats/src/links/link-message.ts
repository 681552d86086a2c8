// The messages of a link as they travel over NATS: a head of fixed length, then the bytes of the link, if any.
//
//   0     1        2       4           12            16        24     32
//   kind  dialler  sender  its run     link's number  sequence  ack    bytes
//
// Numbers are big-endian; run, sequence and ack are floating-point, so that they never wrap.

export const LinkKind = {
  /** From the member that dials; sent again until it is answered. */
  Open: 1,
  Opened: 2,
  /** Bytes of the link. Numbered. */
  Data: 3,
  /** The sender has nothing more. Numbered. */
  End: 4,
  /** Everything before `ack` has arrived. */
  Ack: 5,
  /** As `Ack`, and what follows is missing. */
  Resend: 6,
  /** The link is over, or unknown. */
  Abort: 7,
} as const;
export type LinkKind = (typeof LinkKind)[keyof typeof LinkKind];

/** Bytes of the head. */
export const LINK_HEAD = 32;

export interface LinkMessage {
  readonly kind: LinkKind;
  /** Was it sent by the member that has dialled? */
  readonly byDialler: boolean;
  readonly from: number;
  readonly run: number;
  /** Of the link, among those that the dialler has made to this member. */
  readonly link: number;
  /** From 1; 0: the message is not numbered. */
  readonly sequence: number;
  readonly ack: number;
}

/** @returns a message with room for `length` bytes after its head */
export function linkMessage(fields: LinkMessage, length: number): Uint8Array {
  const bytes = new Uint8Array(LINK_HEAD + length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, fields.kind);
  view.setUint8(1, fields.byDialler ? 1 : 0);
  view.setUint16(2, fields.from);
  view.setFloat64(4, fields.run);
  view.setUint32(12, fields.link);
  view.setFloat64(16, fields.sequence);
  view.setFloat64(24, fields.ack);
  return bytes;
}

/** @returns undefined: it is none */
export function readLinkMessage(bytes: Uint8Array): LinkMessage | undefined {
  if (bytes.length < LINK_HEAD) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = view.getUint8(0);
  if (kind < LinkKind.Open || kind > LinkKind.Abort) return undefined;
  return {
    kind: kind as LinkKind,
    byDialler: view.getUint8(1) === 1,
    from: view.getUint16(2),
    run: view.getFloat64(4),
    link: view.getUint32(12),
    sequence: view.getFloat64(16),
    ack: view.getFloat64(24),
  };
}
