export { type Difference, type ReplayReport, replay } from "./replay.ts";
