import { runChecks } from "../../src/check.ts";
import { session } from "../../src/scenarios/session.ts";

runChecks(5, session);
