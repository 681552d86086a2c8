import { runChecks } from "../../src/check.ts";
import { properties } from "../../src/scenarios/properties.ts";

runChecks(4, properties);
