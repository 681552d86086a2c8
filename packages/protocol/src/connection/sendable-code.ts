// A plugin or an operator may give any reason code; each packet may carry only some. [MQTT5 2.4]
import { isReasonCodeAllowed, type PacketType, ReasonCode } from "@wrenmq/codec";

/** Refusals of a client rather than of a request: where a packet has no such code they become "not authorized". */
const ABOUT_THE_CLIENT: readonly number[] = [
  ReasonCode.ClientIdentifierNotValid,
  ReasonCode.BadUserNameOrPassword,
  ReasonCode.Banned,
  ReasonCode.BadAuthenticationMethod,
];

/** The code itself if the packet may have it, otherwise the one that comes nearest. */
export function sendableCode(code: ReasonCode, type: PacketType): ReasonCode {
  if (isReasonCodeAllowed(code, type)) return code;
  if (code < 0x80) return ReasonCode.Success;
  return ABOUT_THE_CLIENT.includes(code) ? ReasonCode.NotAuthorized : ReasonCode.UnspecifiedError;
}
