import { runChecks } from "../../src/check.ts";
import { disconnect } from "../../src/scenarios/disconnect.ts";

runChecks(4, disconnect);
