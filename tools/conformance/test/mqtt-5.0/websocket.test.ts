import { webSocketTests } from "../../src/scenarios/websocket.ts";

webSocketTests(5);
