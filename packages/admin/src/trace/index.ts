export { packetName, propertyName, reasonName } from "./names.ts";
export { packetFacts, packetWords } from "./packet-text.ts";
export { readTrace, TraceError, TraceReader } from "./read-trace.ts";
export {
  type AuthorizeRecord,
  type DeliveredRecord,
  type DisconnectedRecord,
  type DroppedRecord,
  type EndRecord,
  type ExplainRecord,
  type Hidden,
  type LostRecord,
  type PacketRecord,
  type QueuedRecord,
  type RefusedRecord,
  type RoutedRecord,
  type StateRecord,
  TRACE_VERSION,
  type TracedBytes,
  type TracedMessage,
  type TracedPacket,
  type TraceHeader,
  type TraceLine,
  type TraceRecord,
} from "./records.ts";
export { headerText, recordParts, recordText, recordWords } from "./show.ts";
export { bytesOf, packetOf, propertiesOf, tracedMessage, tracedPacket } from "./traced-packet.ts";
