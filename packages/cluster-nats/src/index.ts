export type { ClusterMember, MemberBroker } from "./cluster-member.ts";
export { type ClusterOptions, joinCluster } from "./join-cluster.ts";
export { type LinkBus, NatsMesh } from "./links/nats-mesh.ts";
export type { NatsOptions, NatsTls } from "./nats/nats-connection.ts";
export type { RunningShard, ShardEnd } from "./shards/shard-host.ts";
export type { OpenShard, ShardRun } from "./shards/shard-site.ts";
