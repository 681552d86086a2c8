import { runChecks } from "../../src/check.ts";
import { keepAlive } from "../../src/scenarios/keep-alive.ts";

runChecks(5, keepAlive);
