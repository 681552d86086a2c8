export { type BrokerFixture, type FixtureOptions, pluginOf, startBroker } from "./broker-fixture.ts";
export { dialTcp, dialWebSocket } from "./dial.ts";
export { concat, hex, toHex } from "./hex.ts";
export {
  DrivenConnection,
  type Dropped,
  type Effect,
  MachineDriver,
  type MachineOptions,
} from "./machine-driver.ts";
export { type Pace, RealPace, SimPace } from "./pace.ts";
export {
  type ConnectOptions,
  type PublishOptions,
  RawClient,
  type Received,
  type SubscribeOptions,
  text,
} from "./raw-client.ts";
export { parseScript, play, type Stage, type Step } from "./script.ts";
export { SimClock } from "./sim-clock.ts";
export { difference, show } from "./subset.ts";
