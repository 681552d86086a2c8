import { runChecks } from "../../src/check.ts";
import { topics } from "../../src/scenarios/topics.ts";

runChecks(5, topics);
