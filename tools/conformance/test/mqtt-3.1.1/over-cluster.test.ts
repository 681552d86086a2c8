// A part of the checks through a cluster: those in which several clients take part.
import { delivery } from "../../src/scenarios/delivery.ts";
import { publish } from "../../src/scenarios/publish.ts";
import { retain } from "../../src/scenarios/retain.ts";
import { session } from "../../src/scenarios/session.ts";
import { subscribe } from "../../src/scenarios/subscribe.ts";
import { wills } from "../../src/scenarios/will.ts";
import { runOverCluster } from "../run-over-cluster.ts";

runOverCluster(4, [...publish, ...subscribe, ...retain, ...session, ...wills, ...delivery]);
