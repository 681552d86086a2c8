// What brokers say to each other. Every frame: length of the body (4 bytes, big-endian), type (1 byte), body.

export const FrameType = {
  /** First on every link, from both sides. */
  Hello: 1,
  RouteSet: 2,
  RouteRemoved: 3,
  GroupSet: 4,
  /** All routes were sent: others that were known of this peer do not exist any more. */
  RoutesEnd: 5,
  Forward: 6,
  /** The same result for so many messages in sequence. */
  ForwardResults: 7,
  Metrics: 8,
  /** To be answered when everything before it has been dealt with. */
  Barrier: 9,
  BarrierPassed: 10,
  RelayOpen: 16,
  RelayData: 17,
  /** So many bytes of the relay have been dealt with. */
  RelayCredit: 18,
  RelayEnd: 19,
  RelayClosed: 20,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** Bytes before the body. */
export const FRAME_HEAD = 5;
/** Longest body: the longest PUBLISH and what is said about it. */
export const MAX_BODY: number = 268_435_460 + 1024 * 1024;
/** Grows when frames change: brokers of different versions do not connect to each other. */
export const WIRE_VERSION = 1;
