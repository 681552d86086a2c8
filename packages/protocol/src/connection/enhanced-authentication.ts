// AUTH packets: which side sends next in an exchange of enhanced authentication, and with which method. [MQTT5 4.12]
import { type AuthPacket, MqttError, ReasonCode } from "@wrenmq/codec";

export class EnhancedAuthentication {
  /** As named in CONNECT. */
  readonly method: string | undefined;
  /** Is a re-authentication in progress? */
  isRenewing: boolean = false;

  constructor(method: string | undefined) {
    this.method = method;
  }

  /** @param isAdmitted false: the exchange that CONNECT began is still going on @throws MqttError 0x82 */
  check(packet: AuthPacket, isAdmitted: boolean): void {
    if (this.method === undefined || packet.properties?.authenticationMethod !== this.method) {
      throw new MqttError(ReasonCode.ProtocolError, "AUTH without or with another authentication method"); // [MQTT-4.12.0-7]
    }
    // In reply a client continues [MQTT-4.12.0-3]; once admitted it begins anew [MQTT-4.12.1-1].
    const begins = isAdmitted && !this.isRenewing;
    if (packet.reasonCode !== (begins ? ReasonCode.ReAuthenticate : ReasonCode.ContinueAuthentication)) {
      throw new MqttError(ReasonCode.ProtocolError, "AUTH out of turn");
    }
  }

  /** The next AUTH of the server. */
  packet(reasonCode: ReasonCode, authenticationData: Uint8Array | undefined): AuthPacket {
    return {
      type: "auth",
      reasonCode,
      properties: {
        authenticationMethod: this.method ?? "",
        ...(authenticationData === undefined ? {} : { authenticationData }),
      },
    };
  }
}
