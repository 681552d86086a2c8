// The clock that tests advance.
export { SimulatedClock as SimClock } from "@wrenmq/broker";
