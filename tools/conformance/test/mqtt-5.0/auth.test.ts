import { runChecks } from "../../src/check.ts";
import { auth } from "../../src/scenarios/auth.ts";

runChecks(5, auth);
