import { runChecks } from "../../src/check.ts";
import { stream } from "../../src/scenarios/stream.ts";

runChecks(5, stream);
