// The types of frames between brokers. Every frame: length of the body (4 bytes, big-endian), type (1 byte), body.

export const FrameType = {
  /** First on every link, from both sides. */
  Hello: 1,
  RouteSet: 2,
  RouteRemoved: 3,
  GroupSet: 4,
  /** All routes were sent: earlier ones of this peer that were not sent again have ended. */
  RoutesEnd: 5,
  Forward: 6,
  /** The same result for several messages in sequence. */
  ForwardResults: 7,
  Metrics: 8,
  /** Answered when everything before it has been handled. */
  Barrier: 9,
  BarrierPassed: 10,
  /** Origins of parcel numbers: each parcel refers to one of these by its position. */
  Origins: 11,
  /** All retained messages that the peer needed were sent. */
  RetainedEnd: 12,
  /** The sender ends: it is to be sent nothing more, apart from answers. */
  Leaving: 13,
  RelayOpen: 16,
  RelayData: 17,
  /** This many bytes of the relay have been handled. */
  RelayCredit: 18,
  RelayEnd: 19,
  RelayClosed: 20,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** Bytes before the body. */
export const FRAME_HEAD = 5;
/** Longest body: the longest PUBLISH and the fields before it. */
export const MAX_BODY: number = 268_435_460 + 1024 * 1024;
/** Incremented when frames change: brokers of different versions do not connect to each other. */
export const WIRE_VERSION = 4;
