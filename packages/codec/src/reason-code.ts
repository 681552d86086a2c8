// Every reason code of MQTT 5.0 (section 2.4), the packets that may carry it, and what it becomes in MQTT 3.1 and 3.1.1.
// This is the only place that maps reason codes between versions.
import { PacketType } from "./packet-type.ts";

/** Reason codes below 0x80 are success, the others failure. [MQTT5 2.4] */
export const ReasonCode = {
  Success: 0x00,
  NormalDisconnection: 0x00,
  GrantedQoS0: 0x00,
  GrantedQoS1: 0x01,
  GrantedQoS2: 0x02,
  DisconnectWithWillMessage: 0x04,
  NoMatchingSubscribers: 0x10,
  NoSubscriptionExisted: 0x11,
  ContinueAuthentication: 0x18,
  ReAuthenticate: 0x19,
  UnspecifiedError: 0x80,
  MalformedPacket: 0x81,
  ProtocolError: 0x82,
  ImplementationSpecificError: 0x83,
  UnsupportedProtocolVersion: 0x84,
  ClientIdentifierNotValid: 0x85,
  BadUserNameOrPassword: 0x86,
  NotAuthorized: 0x87,
  ServerUnavailable: 0x88,
  ServerBusy: 0x89,
  Banned: 0x8a,
  ServerShuttingDown: 0x8b,
  BadAuthenticationMethod: 0x8c,
  KeepAliveTimeout: 0x8d,
  SessionTakenOver: 0x8e,
  TopicFilterInvalid: 0x8f,
  TopicNameInvalid: 0x90,
  PacketIdentifierInUse: 0x91,
  PacketIdentifierNotFound: 0x92,
  ReceiveMaximumExceeded: 0x93,
  TopicAliasInvalid: 0x94,
  PacketTooLarge: 0x95,
  MessageRateTooHigh: 0x96,
  QuotaExceeded: 0x97,
  AdministrativeAction: 0x98,
  PayloadFormatInvalid: 0x99,
  RetainNotSupported: 0x9a,
  QoSNotSupported: 0x9b,
  UseAnotherServer: 0x9c,
  ServerMoved: 0x9d,
  SharedSubscriptionsNotSupported: 0x9e,
  ConnectionRateExceeded: 0x9f,
  MaximumConnectTime: 0xa0,
  SubscriptionIdentifiersNotSupported: 0xa1,
  WildcardSubscriptionsNotSupported: 0xa2,
} as const;
export type ReasonCode = (typeof ReasonCode)[keyof typeof ReasonCode];

const CONNACK = 1 << PacketType.Connack;
const PUBACK = 1 << PacketType.Puback;
const PUBREC = 1 << PacketType.Pubrec;
const PUBREL = 1 << PacketType.Pubrel;
const PUBCOMP = 1 << PacketType.Pubcomp;
const SUBACK = 1 << PacketType.Suback;
const UNSUBACK = 1 << PacketType.Unsuback;
const DISCONNECT = 1 << PacketType.Disconnect;
const AUTH = 1 << PacketType.Auth;

/** Which packets may carry a code. 0x8C in DISCONNECT is in the table of section 2.4 but not in that of 3.14.2.1. */
const PACKETS_OF_CODE: Readonly<Record<number, number>> = {
  0: CONNACK | PUBACK | PUBREC | PUBREL | PUBCOMP | SUBACK | UNSUBACK | DISCONNECT | AUTH,
  1: SUBACK,
  2: SUBACK,
  4: DISCONNECT,
  16: PUBACK | PUBREC,
  17: UNSUBACK,
  24: AUTH,
  25: AUTH,
  128: CONNACK | PUBACK | PUBREC | SUBACK | UNSUBACK | DISCONNECT,
  129: CONNACK | DISCONNECT,
  130: CONNACK | DISCONNECT,
  131: CONNACK | PUBACK | PUBREC | SUBACK | UNSUBACK | DISCONNECT,
  132: CONNACK,
  133: CONNACK,
  134: CONNACK,
  135: CONNACK | PUBACK | PUBREC | SUBACK | UNSUBACK | DISCONNECT,
  136: CONNACK,
  137: CONNACK | DISCONNECT,
  138: CONNACK,
  139: DISCONNECT,
  140: CONNACK | DISCONNECT,
  141: DISCONNECT,
  142: DISCONNECT,
  143: SUBACK | UNSUBACK | DISCONNECT,
  144: CONNACK | PUBACK | PUBREC | DISCONNECT,
  145: PUBACK | PUBREC | SUBACK | UNSUBACK,
  146: PUBREL | PUBCOMP,
  147: DISCONNECT,
  148: DISCONNECT,
  149: CONNACK | DISCONNECT,
  150: DISCONNECT,
  151: CONNACK | PUBACK | PUBREC | SUBACK | DISCONNECT,
  152: DISCONNECT,
  153: CONNACK | PUBACK | PUBREC | DISCONNECT,
  154: CONNACK | DISCONNECT,
  155: CONNACK | DISCONNECT,
  156: CONNACK | DISCONNECT,
  157: CONNACK | DISCONNECT,
  158: SUBACK | DISCONNECT,
  159: CONNACK | DISCONNECT,
  160: DISCONNECT,
  161: SUBACK | DISCONNECT,
  162: SUBACK | DISCONNECT,
};

/** True for the codes that mean failure. [MQTT5 2.4] */
export function isFailure(code: ReasonCode): boolean {
  return code >= 0x80;
}

/** May a packet of this type carry this code? [MQTT5 2.4] */
export function isReasonCodeAllowed(code: number, packetType: PacketType): code is ReasonCode {
  const packets = PACKETS_OF_CODE[code];
  return packets !== undefined && (packets & (1 << packetType)) !== 0;
}

/** What MQTT 3.1 and 3.1.1 have in place of a reason code in CONNACK. [MQTT 3.1.1, 3.2.2.3] */
export type ConnectReturnCode = 0 | 1 | 2 | 3 | 4 | 5;

/**
 * The CONNACK return code of MQTT 3.1 and 3.1.1 for a reason code; undefined if none fits, in which case the standard
 * wants the connection closed without a CONNACK. [MQTT-3.2.2-6 of 3.1.1]
 */
export function toV3Connack(code: ReasonCode): ConnectReturnCode | undefined {
  switch (code) {
    case ReasonCode.Success:
      return 0;
    case ReasonCode.UnsupportedProtocolVersion:
      return 1;
    case ReasonCode.ClientIdentifierNotValid:
      return 2;
    case ReasonCode.UnspecifiedError:
    case ReasonCode.ImplementationSpecificError:
    case ReasonCode.ServerUnavailable:
    case ReasonCode.ServerBusy:
    case ReasonCode.QuotaExceeded:
    case ReasonCode.UseAnotherServer:
    case ReasonCode.ServerMoved:
    case ReasonCode.ConnectionRateExceeded:
      return 3;
    case ReasonCode.BadUserNameOrPassword:
      return 4;
    case ReasonCode.NotAuthorized:
    case ReasonCode.Banned:
    case ReasonCode.BadAuthenticationMethod:
      return 5;
    default:
      return undefined;
  }
}

/** The reason code for a CONNACK return code of MQTT 3.1 and 3.1.1; undefined for the reserved ones (6 to 255). */
export function fromV3Connack(returnCode: number): ReasonCode | undefined {
  switch (returnCode) {
    case 0:
      return ReasonCode.Success;
    case 1:
      return ReasonCode.UnsupportedProtocolVersion;
    case 2:
      return ReasonCode.ClientIdentifierNotValid;
    case 3:
      return ReasonCode.ServerUnavailable;
    case 4:
      return ReasonCode.BadUserNameOrPassword;
    case 5:
      return ReasonCode.NotAuthorized;
    default:
      return undefined;
  }
}

/**
 * The SUBACK return code of MQTT 3.1.1 for a reason code: every failure is 0x80. MQTT 3.1 knows granted QoS only; 0x80
 * is what its clients are sent in practice.
 */
export function toV3Suback(code: ReasonCode): ReasonCode {
  return isFailure(code) ? ReasonCode.UnspecifiedError : code;
}
