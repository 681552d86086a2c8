// What operators ask of a cluster, as changes of the view: any member can be asked, and the owners of shards see it there.
import { ClusterError, type ClusterSteering } from "@wrenmq/cluster";
import type { Proposals } from "./proposals.ts";
import { drained, type View, type ViewMember, wished } from "./view.ts";

export class Steering implements ClusterSteering {
  readonly #proposals: Pick<Proposals, "add">;

  constructor(proposals: Pick<Proposals, "add">) {
    this.#proposals = proposals;
  }

  drain(name: string, isDraining: boolean): Promise<void> {
    return this.#propose((view) => {
      const member = memberOf(view, name);
      return (member.isDraining === true) === isDraining ? undefined : drained(view, member.id, isDraining);
    });
  }

  move(partition: number, name: string): Promise<void> {
    return this.#propose((view) => {
      const member = memberOf(view, name);
      if (view.owners[partition] === undefined) {
        throw refused(`there is no partition ${partition}: they are 0 to ${view.owners.length - 1}`);
      }
      if (!member.isReady) throw refused(`member "${name}" does not serve clients yet`);
      if (member.isDraining === true) throw refused(`member "${name}" is being emptied`);
      return view.wishes?.[partition] === member.id ? undefined : wished(view, partition, member.id);
    });
  }

  async #propose(change: (view: View) => View | undefined): Promise<void> {
    try {
      await this.#proposals.add(change);
    } catch (cause) {
      if (cause instanceof ClusterError) throw cause;
      throw new ClusterError("ERR_CLUSTER_NATS", (cause as Error).message, { cause });
    }
  }
}

function memberOf(view: View, name: string): ViewMember {
  if (view.epochs === undefined) {
    throw refused("sessions are in the memory of the members, and cannot move: cluster.replicas is 0");
  }
  const member = view.members.find((one) => one.name === name);
  if (member !== undefined) return member;
  const names = view.members.map((one) => `"${one.name}"`).join(", ");
  throw refused(`there is no member "${name}": there are ${names}`);
}

function refused(message: string): ClusterError {
  return new ClusterError("ERR_CLUSTER_REQUEST", message);
}
