export { testClient } from "./client.ts";
export { SimulatedTimers } from "./simulated-timers.ts";
export { type Disconnected, type LogLine, TestHost, type TestHostOptions } from "./test-host.ts";
