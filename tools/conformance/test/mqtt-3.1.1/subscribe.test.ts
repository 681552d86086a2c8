import { runChecks } from "../../src/check.ts";
import { subscribe } from "../../src/scenarios/subscribe.ts";

runChecks(4, subscribe);
