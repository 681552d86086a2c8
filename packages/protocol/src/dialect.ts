// How the versions behave differently, as data. Besides the codec this is the only file that tests the version.
import type { ProtocolVersion } from "@wrenmq/codec";

export interface Dialect {
  readonly version: ProtocolVersion;
  /** Layout of a PUBLISH without a packet identifier (see message.ts). */
  readonly layout: 0 | 2;
  /** Are there reason codes in acknowledgements, so that a message can be refused? */
  readonly negativeAcks: boolean;
  /** Does the server send DISCONNECT before it closes? */
  readonly sendsDisconnect: boolean;
  /** Does Clean Session alone decide how long the session lives, because there is no Session Expiry Interval? */
  readonly sessionExpiryFromCleanStart: boolean;
  /** Does a zero-length client identifier get one assigned even without Clean Start? */
  readonly assignsClientIdAlways: boolean;
  /** Do topic aliases, properties and AUTH exist? */
  readonly hasProperties: boolean;
  /** Has CONNACK the flag Session Present? [MQTT-3.2.2-1] It came with MQTT 3.1.1. */
  readonly hasSessionPresent: boolean;
}

const V4: Dialect = {
  version: 4,
  layout: 0,
  negativeAcks: false,
  sendsDisconnect: false,
  sessionExpiryFromCleanStart: true,
  assignsClientIdAlways: false,
  hasProperties: false,
  hasSessionPresent: true,
};
const V3: Dialect = { ...V4, version: 3, hasSessionPresent: false };
const V5: Dialect = {
  version: 5,
  layout: 2,
  negativeAcks: true,
  sendsDisconnect: true,
  sessionExpiryFromCleanStart: false,
  assignsClientIdAlways: true,
  hasProperties: true,
  hasSessionPresent: true,
};

export function dialectOf(version: ProtocolVersion): Dialect {
  return version === 5 ? V5 : version === 4 ? V4 : V3;
}
