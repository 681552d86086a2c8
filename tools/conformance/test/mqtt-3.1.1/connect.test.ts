import { runChecks } from "../../src/check.ts";
import { connect } from "../../src/scenarios/connect.ts";

runChecks(4, connect);
