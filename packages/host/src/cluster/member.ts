// Membership in a cluster, where the configuration has one. The package for it is loaded only then.
import { hostname } from "node:os";
import { type Broker, type BrokerOptions, VERSION } from "@wrenmq/broker";
import type { ClusterMember } from "@wrenmq/cluster-nats";
import type { ClusterSection } from "@wrenmq/config";
import type { Logger } from "@wrenmq/plugin-api";

/** @throws ClusterError; the signal's reason */
export async function joinConfigured(
  section: ClusterSection,
  logger: Logger,
  signal: AbortSignal | undefined,
): Promise<ClusterMember> {
  const {
    name,
    member = hostname(),
    servers,
    credentialsFile,
    username,
    password,
    tls,
    partitions,
    replicas,
  } = section;
  const { joinCluster } = await import("@wrenmq/cluster-nats");
  const joined = await joinCluster({
    name,
    member,
    nats: {
      servers,
      ...(credentialsFile === undefined ? {} : { credentialsFile }),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(tls === undefined ? {} : { tls: tlsOf(tls) }),
    },
    ...(partitions === undefined ? {} : { partitions }),
    ...(replicas === 0 ? {} : { replicas, durable: true }),
    version: VERSION,
    ...(signal === undefined ? {} : { signal }),
    said: (line) => logger.warn({ cluster: name }, line),
  });
  logger.info({ cluster: name, member, id: joined.id, nats: joined.report().server }, "joined the cluster");
  return joined;
}

function tlsOf({ caFile, certificateFile, keyFile }: NonNullable<ClusterSection["tls"]>): {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
} {
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certificateFile === undefined ? {} : { certFile: certificateFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
}

/** Options that make a broker this member. */
export function optionsOf(member: ClusterMember | undefined): Pick<BrokerOptions, "bus" | "placement"> {
  return member === undefined ? {} : { bus: member.bus, placement: member.placement };
}

export function attachTo(member: ClusterMember, broker: Broker): void {
  member.attach({
    accept(connection, listener) {
      try {
        broker.accept(connection, { listener, handedOver: true });
      } catch {
        // The listener is gone here, or the broker stops: the client will connect again.
        connection.destroy();
      }
    },
    *clientIds() {
      for (const { clientId } of broker.operations.sessions()) yield clientId;
    },
  });
}
