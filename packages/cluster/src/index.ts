export type {
  ClusterBus,
  ForwardTarget,
  LocalNode,
  Peer,
  RetainedFact,
} from "./cluster-bus.ts";
export { ClusterError, type ClusterErrorCode } from "./errors.ts";
export { ForwardResult } from "./forward-result.ts";
export { type BatchWaiter, ForwardBatch, ForwardTicket, type Ticket } from "./forward-ticket.ts";
export { homeOf, stableHash } from "./home.ts";
export { LoopbackMesh, type LoopbackOptions } from "./loopback-mesh.ts";
export { MeshBus, type MeshOptions } from "./mesh-bus.ts";
export type { MeshTransport } from "./mesh-transport.ts";
export { Stamps, UNDATED } from "./stamps.ts";
export { UnixMesh } from "./unix-mesh.ts";
