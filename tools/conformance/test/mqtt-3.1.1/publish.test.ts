import { runChecks } from "../../src/check.ts";
import { publish } from "../../src/scenarios/publish.ts";

runChecks(4, publish);
