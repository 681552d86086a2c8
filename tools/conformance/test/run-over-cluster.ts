// The checks against three members of a cluster over NATS: each connection of a check goes to the next member, so that
// publishers, subscribers and those who take a session over are at different ones.
import { afterAll, beforeAll, describe, test } from "vitest";
import { areBalanced, type Member, startMember, until } from "../../../packages/cluster-nats/test/support/members.ts";
import { isNatsHere, NatsServer } from "../../../packages/cluster-nats/test/support/nats-server.ts";
import { type Check, inside } from "../src/check.ts";
import { spreadWorld, type Version } from "../src/world.ts";

/** Titles without the ids of statements: those are proved by one broker. */
export function runOverCluster(version: Version, checks: readonly Check[]): void {
  describe.skipIf(!isNatsHere)("three members of a cluster", { concurrent: true }, () => {
    let nats: NatsServer;
    let members: readonly Member[] = [];
    beforeAll(async () => {
      nats = await NatsServer.start("test");
      members = await Promise.all(["a", "b", "c"].map((name) => startMember(nats, name)));
      await until(() => areBalanced(members));
    });
    afterAll(async () => {
      await Promise.all(members.map((member) => member.stop()));
      await nats[Symbol.asyncDispose]();
    });
    for (const check of checks) {
      if ((version === 4 ? check.v4 : check.v5) === undefined) continue;
      if (check.broker !== undefined || check.ownOnly === true || check.long === true) continue;
      test(check.title, async () => {
        const addresses = members.map(({ broker }) => `mqtt://127.0.0.1:${broker.port("main")}`);
        await inside(spreadWorld(version, addresses), check);
      });
    }
  });
}
