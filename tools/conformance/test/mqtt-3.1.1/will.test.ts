import { runChecks } from "../../src/check.ts";
import { wills } from "../../src/scenarios/will.ts";

runChecks(4, wills);
