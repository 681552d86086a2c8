import { ReasonCode } from "@wrenmq/codec";
import { V3, V5, type Vector } from "./vector.ts";

const plain = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

export const subscribe: readonly Vector[] = [
  {
    name: "SUBSCRIBE with three filters",
    versions: V3,
    hex: "82 0f 000a 0001 23 02 0001 2b 01 0002 612f 00",
    packet: {
      type: "subscribe",
      packetId: 10,
      subscriptions: [
        { topicFilter: "#", qos: 2, ...plain },
        { topicFilter: "+", qos: 1, ...plain },
        { topicFilter: "a/", qos: 0, ...plain },
      ],
    },
  },
  {
    name: "SUBSCRIBE of MQTT 5.0 with every option and property",
    versions: V5,
    hex: "82 19 0001 0a 0b 8001 26 0001 6b 0001 76 0001 61 2e 0001 62 11 0001 63 08",
    packet: {
      type: "subscribe",
      packetId: 1,
      properties: { subscriptionIdentifier: 128, userProperties: [["k", "v"]] },
      subscriptions: [
        { topicFilter: "a", qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 },
        { topicFilter: "b", qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 1 },
        { topicFilter: "c", qos: 0, noLocal: false, retainAsPublished: true, retainHandling: 0 },
      ],
    },
  },
  {
    name: "UNSUBSCRIBE",
    versions: V3,
    hex: "a2 08 0001 0001 61 0001 23",
    packet: { type: "unsubscribe", packetId: 1, topicFilters: ["a", "#"] },
  },
  {
    name: "UNSUBSCRIBE of MQTT 5.0",
    versions: V5,
    hex: "a2 0d 0001 07 26 0001 6b 0001 76 0001 61",
    packet: { type: "unsubscribe", packetId: 1, topicFilters: ["a"], properties: { userProperties: [["k", "v"]] } },
  },
];

export const suback: readonly Vector[] = [
  {
    name: "SUBACK with every return code",
    versions: V3,
    hex: "90 06 0001 00 01 02 80",
    packet: {
      type: "suback",
      packetId: 1,
      reasonCodes: [
        ReasonCode.GrantedQoS0,
        ReasonCode.GrantedQoS1,
        ReasonCode.GrantedQoS2,
        ReasonCode.UnspecifiedError,
      ],
    },
  },
  {
    name: "SUBACK of MQTT 5.0",
    versions: V5,
    hex: "90 09 0001 04 1f 0001 72 02 87",
    packet: {
      type: "suback",
      packetId: 1,
      reasonCodes: [ReasonCode.GrantedQoS2, ReasonCode.NotAuthorized],
      properties: { reasonString: "r" },
    },
  },
  {
    name: "UNSUBACK",
    versions: V3,
    hex: "b0 02 0102",
    packet: { type: "unsuback", packetId: 0x102, reasonCodes: [] },
  },
  {
    name: "UNSUBACK of MQTT 5.0",
    versions: V5,
    hex: "b0 05 0001 00 00 11",
    packet: { type: "unsuback", packetId: 1, reasonCodes: [ReasonCode.Success, ReasonCode.NoSubscriptionExisted] },
  },
];
