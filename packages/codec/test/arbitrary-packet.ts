// Any packet that can exist in a version, for property tests.
import { isReasonCodeAllowed, type Packet, PacketType, type ProtocolVersion, type ReasonCode } from "@wrenmq/codec";
import fc from "fast-check";

type Fields = Record<string, fc.Arbitrary<unknown>>;

/** Objects like those of the codec, not without prototype. */
const plain = { noNullPrototype: true } as const;

const uint16 = fc.integer({ min: 0, max: 0xffff });
const positive16 = fc.integer({ min: 1, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const positive32 = fc.integer({ min: 1, max: 0xffff_ffff });
const flag = fc.constantFrom(0, 1);
const identifier = fc.integer({ min: 1, max: 268_435_455 });
const qos = fc.constantFrom(0, 1, 2);
const text = fc
  .oneof(fc.string({ unit: "binary" }), fc.string({ unit: "binary-ascii", maxLength: 300 }))
  .map((value) => value.replaceAll("\0", ""));
const nonEmpty = text.map((value) => `t${value}`);
const binary = fc.uint8Array({ maxLength: 300 });
const pairs = fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 });

const ack: Fields = { reasonString: text, userProperties: pairs };
const message: Fields = {
  payloadFormatIndicator: flag,
  messageExpiryInterval: uint32,
  contentType: text,
  responseTopic: text,
  correlationData: binary,
  userProperties: pairs,
};
const connack: Fields = {
  ...ack,
  sessionExpiryInterval: uint32,
  receiveMaximum: positive16,
  maximumQoS: flag,
  retainAvailable: flag,
  maximumPacketSize: positive32,
  assignedClientIdentifier: text,
  topicAliasMaximum: uint16,
  wildcardSubscriptionAvailable: flag,
  subscriptionIdentifierAvailable: flag,
  sharedSubscriptionAvailable: flag,
  serverKeepAlive: uint16,
  responseInformation: text,
  serverReference: text,
  authenticationMethod: text,
  authenticationData: binary,
};
const connect: Fields = {
  sessionExpiryInterval: uint32,
  receiveMaximum: positive16,
  maximumPacketSize: positive32,
  topicAliasMaximum: uint16,
  requestResponseInformation: flag,
  requestProblemInformation: flag,
  userProperties: pairs,
  authenticationMethod: text,
};

/** An object without the keys that are undefined, and without `properties` that are empty: as decoding makes it. */
function tidy(value: object): object {
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(
    entries.filter(([name, field]) => name !== "properties" || Object.keys(field as object).length > 0),
  );
}

/** Some of these properties, in MQTT 5.0, or none. */
function some(version: ProtocolVersion, fields: Fields, requiredKeys: string[] = []): fc.Arbitrary<unknown> {
  return version === 5 ? fc.record(fields, { requiredKeys, noNullPrototype: true }) : fc.constant(undefined);
}

function reasons(type: PacketType): ReasonCode[] {
  const all = Array.from({ length: 256 }, (_, code) => code as ReasonCode);
  return all.filter((code) => isReasonCodeAllowed(code, type));
}

/** Packets that decode to themselves: what a version cannot express is not in them. */
export function anyPacket(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const v5 = version === 5;
  const code = (type: PacketType) => (v5 ? fc.constantFrom(...reasons(type)) : fc.constant(0));
  const packet = (type: string, fields: Fields): fc.Arbitrary<object> =>
    fc.record({ type: fc.constant(type), ...fields }, plain);
  const acks = (["Puback", "Pubrec", "Pubrel", "Pubcomp"] as const).map((name) =>
    packet(name.toLowerCase(), {
      packetId: positive16,
      reasonCode: code(PacketType[name]),
      properties: some(version, ack),
    }),
  );
  const will = fc
    .record(
      {
        topic: text,
        payload: binary,
        qos,
        retain: fc.boolean(),
        properties: some(version, { ...message, willDelayInterval: uint32 }),
      },
      plain,
    )
    .map(tidy);
  const credentials = fc
    .tuple(fc.option(text, { nil: undefined }), fc.option(binary, { nil: undefined }))
    .map(([username, password]) => ({ username, password: v5 || username !== undefined ? password : undefined }));
  const subscription = fc.record(
    {
      topicFilter: nonEmpty,
      qos,
      noLocal: v5 ? fc.boolean() : fc.constant(false),
      retainAsPublished: v5 ? fc.boolean() : fc.constant(false),
      retainHandling: v5 ? fc.constantFrom(0, 1, 2) : fc.constant(0),
    },
    plain,
  );
  const subackCodes = v5 ? reasons(PacketType.Suback) : [0, 1, 2, 0x80];
  const connackCodes = v5 ? reasons(PacketType.Connack) : [0, 0x84, 0x85, 0x88, 0x86, 0x87];
  const choices: fc.Arbitrary<object>[] = [
    packet("connect", {
      protocolVersion: fc.constant(version),
      bridge: fc.option(fc.constant(true), { nil: undefined }),
      clientId: text,
      cleanStart: fc.boolean(),
      keepAlive: uint16,
      will: fc.option(will, { nil: undefined }),
      credentials,
      properties: some(version, connect),
    }).map((value) => {
      const { credentials: given, ...rest } = value as { credentials: object };
      return { ...rest, ...given };
    }),
    packet("connack", {
      sessionPresent: version > 3 ? fc.boolean() : fc.constant(false),
      reasonCode: fc.constantFrom(...connackCodes),
      properties: some(version, connack),
    }).map((value) => {
      const { sessionPresent, reasonCode } = value as { sessionPresent: boolean; reasonCode: number };
      return { ...value, sessionPresent: sessionPresent && reasonCode === 0 };
    }),
    packet("publish", {
      topic: nonEmpty,
      payload: binary,
      qos,
      retain: fc.boolean(),
      dup: fc.boolean(),
      packetId: positive16,
      properties: some(version, {
        ...message,
        topicAlias: positive16,
        subscriptionIdentifiers: fc.array(identifier, { minLength: 1, maxLength: 4 }),
      }),
    }).map((value) => {
      const { qos: level, dup, packetId } = value as { qos: number; dup: boolean; packetId: number };
      return { ...value, dup: dup && level > 0, packetId: level > 0 ? packetId : undefined };
    }),
    ...acks,
    packet("subscribe", {
      packetId: positive16,
      subscriptions: fc.array(subscription, { minLength: 1, maxLength: 5 }),
      properties: some(version, { subscriptionIdentifier: identifier, userProperties: pairs }),
    }),
    packet("suback", {
      packetId: positive16,
      reasonCodes: fc.array(fc.constantFrom(...subackCodes), { minLength: 1, maxLength: 5 }),
      properties: some(version, ack),
    }),
    packet("unsubscribe", {
      packetId: positive16,
      topicFilters: fc.array(nonEmpty, { minLength: 1, maxLength: 5 }),
      properties: some(version, { userProperties: pairs }),
    }),
    packet("unsuback", {
      packetId: positive16,
      reasonCodes: v5
        ? fc.array(fc.constantFrom(...reasons(PacketType.Unsuback)), { minLength: 1, maxLength: 5 })
        : fc.constant([]),
      properties: some(version, ack),
    }),
    packet("pingreq", {}),
    packet("pingresp", {}),
    packet("disconnect", {
      reasonCode: code(PacketType.Disconnect),
      properties: some(version, { ...ack, sessionExpiryInterval: uint32, serverReference: text }),
    }),
  ];
  if (v5) {
    choices.push(
      packet("auth", {
        reasonCode: code(PacketType.Auth),
        properties: some(version, { ...ack, authenticationMethod: text, authenticationData: binary }, [
          "authenticationMethod",
        ]),
      }),
    );
  }
  return fc.oneof(...choices).map((value) => tidy(value) as Packet);
}
