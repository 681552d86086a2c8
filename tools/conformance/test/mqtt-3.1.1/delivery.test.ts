import { runChecks } from "../../src/check.ts";
import { delivery } from "../../src/scenarios/delivery.ts";

runChecks(4, delivery);
