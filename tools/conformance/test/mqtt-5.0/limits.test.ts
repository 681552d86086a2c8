import { runChecks } from "../../src/check.ts";
import { limits } from "../../src/scenarios/limits.ts";

runChecks(5, limits);
