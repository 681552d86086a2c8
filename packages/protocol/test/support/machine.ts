// A declared dependency on the testkit would be a cycle (it is made of the broker, which is made of this package): these
// files of it need nothing but codec and protocol, and are taken from where they lie.
export { concat, hex, toHex } from "../../../../tools/testkit/src/hex.ts";
export {
  type DrivenConnection,
  MachineDriver,
  type MachineOptions,
} from "../../../../tools/testkit/src/machine-driver.ts";
export { parseScript, play, type Stage } from "../../../../tools/testkit/src/script.ts";
