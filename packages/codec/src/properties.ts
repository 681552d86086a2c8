// MQTT 5.0 properties, read and written by one table. [MQTT5 2.2.2]
// Rules that need more than one property, or the rest of the packet, are in the packets' own files.
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { InvalidPacketError, MqttError, malformed, PacketRangeError, violation } from "./errors.ts";
import type { UserProperties } from "./packet.ts";
import { PacketType } from "./packet-type.ts";
import { PropertyId } from "./property-id.ts";
import { ReasonCode } from "./reason-code.ts";

/** Whose properties: a packet type's, or those of the Will inside CONNECT (0, which is no packet type). */
export type PropertyOwner = PacketType | typeof WILL;
export const WILL = 0;

/** `Flag` is a Byte that may be 0 or 1, as all Byte properties are. */
type ValueType = "flag" | "uint16" | "uint32" | "variable" | "string" | "binary" | "pairs" | "list";

interface Property {
  readonly id: PropertyId;
  readonly name: string;
  readonly type: ValueType;
  /** One bit for each owner. */
  readonly owners: number;
  /** What to answer to the value 0, where it is not allowed. */
  readonly zero: ReasonCode | undefined;
}

const CONNECT = 1 << PacketType.Connect;
const CONNACK = 1 << PacketType.Connack;
const PUBLISH = 1 << PacketType.Publish;
const SUBSCRIBE = 1 << PacketType.Subscribe;
const DISCONNECT = 1 << PacketType.Disconnect;
const AUTH = 1 << PacketType.Auth;
const MESSAGE = PUBLISH | (1 << WILL);
/** Every packet with a reason code; bits of types without properties do no harm. */
const ANSWERS =
  CONNACK |
  (1 << PacketType.Puback) |
  (1 << PacketType.Pubrec) |
  (1 << PacketType.Pubrel) |
  (1 << PacketType.Pubcomp) |
  (1 << PacketType.Suback) |
  (1 << PacketType.Unsuback) |
  DISCONNECT |
  AUTH;
const ALL = ANSWERS | CONNECT | MESSAGE | SUBSCRIBE | (1 << PacketType.Unsubscribe);

function row(id: PropertyId, name: string, type: ValueType, owners: number, zero?: ReasonCode): Property {
  return { id, name, type, owners, zero };
}

const SUBSCRIPTION_IDENTIFIERS: Property = /* @__PURE__ */ row(
  PropertyId.SubscriptionIdentifier,
  "subscriptionIdentifiers",
  "list",
  PUBLISH,
  ReasonCode.ProtocolError,
);

const PROPERTIES: readonly Property[] = /* @__PURE__ */ (() => [
  row(PropertyId.PayloadFormatIndicator, "payloadFormatIndicator", "flag", MESSAGE),
  row(PropertyId.MessageExpiryInterval, "messageExpiryInterval", "uint32", MESSAGE),
  row(PropertyId.ContentType, "contentType", "string", MESSAGE),
  row(PropertyId.ResponseTopic, "responseTopic", "string", MESSAGE),
  row(PropertyId.CorrelationData, "correlationData", "binary", MESSAGE),
  row(PropertyId.SubscriptionIdentifier, "subscriptionIdentifier", "variable", SUBSCRIBE, ReasonCode.ProtocolError),
  row(PropertyId.SessionExpiryInterval, "sessionExpiryInterval", "uint32", CONNECT | CONNACK | DISCONNECT),
  row(PropertyId.AssignedClientIdentifier, "assignedClientIdentifier", "string", CONNACK),
  row(PropertyId.ServerKeepAlive, "serverKeepAlive", "uint16", CONNACK),
  row(PropertyId.AuthenticationMethod, "authenticationMethod", "string", CONNECT | CONNACK | AUTH),
  row(PropertyId.AuthenticationData, "authenticationData", "binary", CONNECT | CONNACK | AUTH),
  row(PropertyId.RequestProblemInformation, "requestProblemInformation", "flag", CONNECT),
  row(PropertyId.WillDelayInterval, "willDelayInterval", "uint32", 1 << WILL),
  row(PropertyId.RequestResponseInformation, "requestResponseInformation", "flag", CONNECT),
  row(PropertyId.ResponseInformation, "responseInformation", "string", CONNACK),
  row(PropertyId.ServerReference, "serverReference", "string", CONNACK | DISCONNECT),
  row(PropertyId.ReasonString, "reasonString", "string", ANSWERS),
  row(PropertyId.ReceiveMaximum, "receiveMaximum", "uint16", CONNECT | CONNACK, ReasonCode.ProtocolError),
  row(PropertyId.TopicAliasMaximum, "topicAliasMaximum", "uint16", CONNECT | CONNACK),
  row(PropertyId.TopicAlias, "topicAlias", "uint16", PUBLISH, ReasonCode.TopicAliasInvalid),
  row(PropertyId.MaximumQoS, "maximumQoS", "flag", CONNACK),
  row(PropertyId.RetainAvailable, "retainAvailable", "flag", CONNACK),
  row(PropertyId.UserProperty, "userProperties", "pairs", ALL),
  row(PropertyId.MaximumPacketSize, "maximumPacketSize", "uint32", CONNECT | CONNACK, ReasonCode.ProtocolError),
  row(PropertyId.WildcardSubscriptionAvailable, "wildcardSubscriptionAvailable", "flag", CONNACK),
  row(PropertyId.SubscriptionIdentifierAvailable, "subscriptionIdentifierAvailable", "flag", CONNACK),
  row(PropertyId.SharedSubscriptionAvailable, "sharedSubscriptionAvailable", "flag", CONNACK),
  SUBSCRIPTION_IDENTIFIERS,
])();

/** Where PROPERTIES has an id; PUBLISH's list of Subscription Identifiers is found by its name only. */
const BY_ID: readonly (Property | undefined)[] = /* @__PURE__ */ (() => {
  const table: (Property | undefined)[] = new Array(0x2b).fill(undefined);
  for (const property of PROPERTIES) if (property !== SUBSCRIPTION_IDENTIFIERS) table[property.id] = property;
  return table;
})();

const BY_NAME: ReadonlyMap<string, Property> = /* @__PURE__ */ (() =>
  new Map(PROPERTIES.map((property) => [property.name, property])))();

/** A property section with its length; undefined if it is empty. */
export function readProperties<Properties extends object>(
  reader: ByteReader,
  owner: PropertyOwner,
): Properties | undefined {
  const length = reader.variableByteInteger();
  if (length === 0) return undefined;
  const after = reader.end;
  if (length > after - reader.position) throw malformed("the Property Length reaches past the end of the packet");
  reader.end = reader.position + length;
  const properties = readPropertyList<Properties>(reader, owner);
  reader.end = after;
  return properties;
}

/** Properties up to the reader's end. */
export function readPropertyList<Properties extends object>(reader: ByteReader, owner: PropertyOwner): Properties {
  const found: Record<string, unknown> = {};
  while (!reader.atEnd) {
    const id = reader.variableByteInteger();
    const property =
      id === PropertyId.SubscriptionIdentifier && owner === PacketType.Publish ? SUBSCRIPTION_IDENTIFIERS : BY_ID[id];
    // An identifier that is unknown, or known but not for this packet, makes the packet malformed. [MQTT5 2.2.2.2]
    if (property === undefined || (property.owners & (1 << owner)) === 0) {
      throw malformed(`property 0x${id.toString(16)} is not allowed here`);
    }
    const name = property.name;
    const before = found[name];
    if (property.type === "pairs") {
      reader.item();
      const pair = [reader.string(), reader.string()] as const;
      if (before === undefined) found[name] = [pair];
      else (before as (typeof pair)[]).push(pair);
      continue;
    }
    const value = readValue(reader, property.type);
    if (value === 0 && property.zero !== undefined) throw new MqttError(property.zero, `${name} is 0`);
    if (property.type === "list") {
      reader.item();
      if (before === undefined) found[name] = [value];
      else (before as unknown[]).push(value);
    } else {
      if (before !== undefined) throw violation(`${name} occurs twice`);
      found[name] = value;
    }
  }
  return found as Properties;
}

function readValue(reader: ByteReader, type: Exclude<ValueType, "pairs">): number | string | Uint8Array {
  switch (type) {
    case "flag": {
      const value = reader.uint8();
      if (value > 1) throw violation("a property that may be 0 or 1 is neither");
      return value;
    }
    case "uint16":
      return reader.uint16();
    case "uint32":
      return reader.uint32();
    case "variable":
    case "list":
      return reader.variableByteInteger();
    case "string":
      return reader.string();
    case "binary":
      return reader.binary();
  }
}

/** Has this object anything that would be written? */
export function hasProperties(properties: object | undefined): boolean {
  if (properties === undefined) return false;
  for (const name in properties) {
    const value = (properties as Record<string, unknown>)[name];
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) return true;
  }
  return false;
}

/** Writes a property section with its length. */
export function writeProperties(writer: ByteWriter, properties: object | undefined, owner: PropertyOwner): void {
  const start = writer.beginLength();
  if (properties !== undefined) writePropertyList(writer, properties, owner);
  writer.endLength(start);
}

/** Writes properties without their length, in the order in which the object has them. */
export function writePropertyList(writer: ByteWriter, properties: object, owner: PropertyOwner): void {
  for (const name in properties) {
    const value = (properties as Record<string, unknown>)[name];
    if (value === undefined) continue;
    const property = BY_NAME.get(name);
    if (property === undefined || (property.owners & (1 << owner)) === 0) {
      throw new InvalidPacketError(`${name} is not a property of this packet`);
    }
    if (property.type === "pairs") {
      for (const [key, text] of value as UserProperties) {
        writer.uint8(property.id);
        writer.string(key);
        writer.string(text);
      }
    } else if (property.type === "list") {
      for (const item of value as readonly number[]) writeValue(writer, property, item);
    } else {
      writeValue(writer, property, value);
    }
  }
}

function writeValue(writer: ByteWriter, property: Property, value: unknown): void {
  if (value === 0 && property.zero !== undefined) throw new PacketRangeError(`${property.name} is 0`);
  writer.uint8(property.id);
  switch (property.type) {
    case "flag":
      if (value !== 0 && value !== 1) throw new PacketRangeError(`${property.name} is neither 0 nor 1`);
      writer.uint8(value);
      return;
    case "uint16":
      writer.uint16(value as number);
      return;
    case "uint32":
      writer.uint32(value as number);
      return;
    case "string":
      writer.string(value as string);
      return;
    case "binary":
      writer.binary(value as Uint8Array);
      return;
    case "variable":
    case "list":
    case "pairs":
      writer.variableByteInteger(value as number);
      return;
  }
}
