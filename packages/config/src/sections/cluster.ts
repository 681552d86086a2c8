// The section `cluster`: with it the broker is a member of a cluster on NATS.
import { listOf } from "../description/collections.ts";
import { duration } from "../description/quantities.ts";
import { choice, integer, path, pattern, secret, text } from "../description/scalars.ts";
import { type Section, section } from "../description/section.ts";
import type { Problems } from "../diagnostic.ts";
import { lookUp, type SourceNode } from "../source-node.ts";
import type { ClusterSection, ClusterTlsSection, WrenConfig } from "../wren-config.ts";

const tlsSection: Section<ClusterTlsSection> = section<ClusterTlsSection>("TLS to the NATS servers.", {
  caFile: { doc: "Certificate authorities: PEM. Without it: those of Node.", type: path() },
  certificateFile: { doc: "Certificate of this member: PEM.", type: path() },
  keyFile: { doc: "Its private key: PEM.", type: path() },
});

export const clusterSection: Section<ClusterSection> = section<ClusterSection>(
  "A cluster of brokers that share a NATS server, or several, and act as one.",
  {
    name: {
      doc: "The same for all members, and different from that of every other cluster on these servers.",
      type: pattern("letters, digits, - and _, at most 32", /[A-Za-z0-9_-]{1,32}/),
      required: true,
    },
    member: { doc: "Name of this member, of its own. Without it: the name of the machine.", type: text("a name") },
    servers: {
      doc: "NATS servers, which need JetStream. One is used; the others, and those that it names, when it is gone.",
      type: listOf(
        pattern(
          "the address of a server such as nats://10.0.0.1:4222",
          /(?:(?:nats|tls):\/\/)?[^\s/@:]+(?::\d+)?|(?:(?:nats|tls):\/\/)?\[[0-9a-fA-F:.]+\](?::\d+)?/,
        ),
        "a list of servers",
      ),
      default: ["nats://127.0.0.1:4222"],
    },
    credentialsFile: { doc: "NATS credentials (`.creds`), or the seed of an nkey of a user.", type: path() },
    username: { doc: "Name of a NATS user, in place of a file.", type: text("a name") },
    password: { doc: "Its password.", type: secret() },
    tls: { doc: "TLS to the NATS servers. Without it: as they require it.", type: tlsSection },
    replicas: {
      doc: "On how many NATS servers sessions and retained messages are kept, so that they outlive their member; 0: in the memory of the members only. The same for all members, and fixed for ever when the first one starts.",
      type: integer(0, 5),
      default: 0,
    },
    partitions: {
      doc: "Into how many parts the clients are divided among the members. Fixed for ever when the first member starts. Without it: 6 with `replicas`, at most 64; otherwise 16.",
      type: integer(1, 256),
    },
    takeoverGrace: {
      doc: "With `replicas`: the wills of clients that were connected to a member when it ended are sent so much later, unless the client is back.",
      type: duration("ms"),
      default: 5_000,
    },
    onIsolation: {
      doc: "What a member does that has not reached NATS for 10 s. close: its clients are disconnected, and new ones refused, so that they try another one. serve: they stay, QoS 0 goes on among them, and acknowledgements wait. Without it: close with `replicas`, otherwise serve, as sessions would end.",
      type: choice(["close", "serve"]),
    },
  },
);

/** Shards are numbered with six bits in the stamps of retained messages. */
const MOST_SHARDS = 64;

/** Reports what cannot be together with a cluster yet. */
export function checkCluster({ cluster, store, workers }: WrenConfig, node: SourceNode, problems: Problems): void {
  if (cluster === undefined) return;
  const own = lookUp(node, "cluster");
  const place = (key: string): SourceNode["place"] => (lookUp(node, key) ?? own ?? node).place;
  if (store.path !== undefined && cluster.replicas === 0) {
    problems.error(
      place("store"),
      "without cluster.replicas members of a cluster keep sessions in memory: leave out the store, or set replicas",
    );
  }
  if (cluster.replicas > 0 && (cluster.partitions ?? 1) > MOST_SHARDS) {
    problems.error((lookUp(own, "partitions") ?? own ?? node).place, `with replicas there are at most ${MOST_SHARDS}`);
  }
  if (workers !== 1)
    problems.error(place("workers"), "a member of a cluster is one process: leave out workers, or cluster");
  if (cluster.credentialsFile !== undefined && cluster.username !== undefined) {
    problems.error(
      (lookUp(own, "username") ?? own ?? node).place,
      "there is a credentials_file already: leave out one",
    );
  }
}
