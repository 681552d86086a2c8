import { runChecks } from "../../src/check.ts";
import { shared } from "../../src/scenarios/shared.ts";

runChecks(5, shared);
