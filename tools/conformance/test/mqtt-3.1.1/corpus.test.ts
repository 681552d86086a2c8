import { runChecks } from "../../src/check.ts";
import { corpus } from "../../src/scenarios/corpus.ts";

runChecks(4, corpus);
