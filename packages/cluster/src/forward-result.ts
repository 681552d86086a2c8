// The answer of a peer to a forwarded message.

export const ForwardResult = { Nobody: 0, Received: 1, Refused: 2, Later: 3 } as const;
export type ForwardResult = (typeof ForwardResult)[keyof typeof ForwardResult];
