export type {
  ArrivedTarget,
  ClusterBus,
  ClusterReport,
  ClusterSteering,
  ForwardTarget,
  Homes,
  LocalNode,
  MemberReport,
  PartitionReport,
  Peer,
  RetainedFact,
} from "./cluster-bus.ts";
export { ClusterError, type ClusterErrorCode } from "./errors.ts";
export { ForwardResult } from "./forward-result.ts";
export { type BatchWaiter, ForwardBatch, ForwardTicket, type Ticket } from "./forward-ticket.ts";
export { homeOf, stableHash } from "./home.ts";
export type { MeshMember, MeshOptions } from "./mesh/mesh-options.ts";
export { MeshBus } from "./mesh-bus.ts";
export { type Origin, Parcel } from "./parcel.ts";
export type { Clock } from "./redial.ts";
export { RelayConnection } from "./relay.ts";
export { Stamps, UNDATED } from "./stamps.ts";
export { LoopbackMesh, type LoopbackOptions } from "./transports/loopback-mesh.ts";
export type { MeshTransport } from "./transports/mesh-transport.ts";
export { UnixMesh } from "./transports/unix-mesh.ts";
export { WIRE_VERSION } from "./wire/frame-type.ts";
