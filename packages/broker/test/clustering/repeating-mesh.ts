// The links of @wrenmq/cluster-nats over a bus in this process that repeats some messages, now and later.
import type { MeshMember, MeshTransport } from "@wrenmq/cluster";
import type { SimClock } from "../../../../tools/testkit/src/index.ts";
import { NatsMesh } from "../../../cluster-nats/src/index.ts";

interface Port {
  readonly member: MeshMember;
  readonly mesh: NatsMesh;
}

export class RepeatingMesh {
  readonly #clock: SimClock;
  readonly #ports = new Map<number, Port>();
  #runs = 0;
  #sent = 0;

  constructor(clock: SimClock) {
    this.#clock = clock;
  }

  member(self: number): MeshTransport {
    this.#runs++;
    const member: MeshMember = { id: self, run: this.#runs };
    const isThere = (): boolean => this.#ports.get(self)?.member === member;
    const bus = {
      get isThere() {
        return isThere();
      },
      longest: 16 * 1024,
      send: (to: MeshMember, message: Uint8Array) => this.#send(to, message),
    };
    const mesh = new NatsMesh(member, bus, this.#clock);
    this.#ports.set(self, { member, mesh });
    this.#tell();
    return mesh;
  }

  /** Ends the process of a member. */
  cut(self: number): void {
    this.#ports.delete(self);
    this.#tell();
  }

  #tell(): void {
    const ports = [...this.#ports.values()];
    for (const { mesh } of ports) mesh.setMembers(ports.map(({ member }) => member));
  }

  #send(to: MeshMember, message: Uint8Array): void {
    this.#sent++;
    const deliver = (): void => {
      const port = this.#ports.get(to.id);
      if (port?.member.run === to.run) port.mesh.received(message);
    };
    this.#clock.schedule(deliver);
    if (this.#sent % 3 === 0) this.#clock.schedule(deliver);
    if (this.#sent % 7 === 0) this.#clock.at(this.#clock.now() + 50, deliver);
  }
}
