export { Admin, type AdminOptions, type Caller, createAdmin } from "./admin.ts";
export { AdminError, type AdminErrorCode, type AdminErrorDetails } from "./admin-error.ts";
export { ALL_COMMANDS, COMMANDS, type CommandName, type Commands, commandNamed } from "./commands.ts";
export {
  type AnyCommand,
  type Command,
  type CommandContext,
  type CommandKind,
  type CommandSpec,
  defineCommand,
  defineStream,
  mayCall,
  type Role,
  type StreamCommand,
} from "./define-command.ts";
export { BOUNDS, Histogram, Histograms } from "./metrics/histograms.ts";
export { PROMETHEUS, prometheusText } from "./metrics/prometheus.ts";
export { type Page, ScanGate } from "./scan.ts";
export { type FieldDescription, fieldsOf, inputFromWords, jsonSchemaOf } from "./words.ts";
