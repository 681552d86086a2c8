import { runChecks } from "../../src/check.ts";
import { retain } from "../../src/scenarios/retain.ts";

runChecks(5, retain);
