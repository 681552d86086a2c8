export {
  type ClusterMember,
  type ClusterOptions,
  joinCluster,
  type MemberBroker,
} from "./cluster-member.ts";
export { type LinkBus, NatsMesh } from "./links/nats-mesh.ts";
export type { NatsOptions, NatsTls } from "./nats/nats-connection.ts";
