// A part of the checks over real sockets, on real time: those that need nothing of the broker but its address.
import { runOverSockets } from "../../src/check.ts";
import { connect } from "../../src/scenarios/connect.ts";
import { publish } from "../../src/scenarios/publish.ts";
import { stream } from "../../src/scenarios/stream.ts";
import { subscribe } from "../../src/scenarios/subscribe.ts";

runOverSockets(4, "tcp", [...stream, ...connect, ...publish, ...subscribe]);
runOverSockets(4, "ws", [...stream, ...connect]);
