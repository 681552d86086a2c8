export { Admin, type AdminOptions, type AdminSource, type Caller, createAdmin, type Lines } from "./admin.ts";
export { AdminError, type AdminErrorCode, type AdminErrorDetails } from "./admin-error.ts";
export { ALL_COMMANDS, COMMANDS, type CommandName, type Commands, commandNamed } from "./commands.ts";
export {
  type Among,
  type AnyCommand,
  type Command,
  type CommandContext,
  type CommandKind,
  type CommandSpec,
  defineClusterCommand,
  defineCommand,
  definePrimaryCommand,
  defineStream,
  type MemberName,
  mayCall,
  type PrimaryContext,
  type ReloadChange,
  type ReloadReport,
  type Role,
  type Scope,
  type StreamCommand,
} from "./define-command.ts";
export { type Member, MemberMissing, type Members } from "./members/member.ts";
export { BOUNDS, Histogram } from "./metrics/histogram.ts";
export { Histograms } from "./metrics/histograms.ts";
export { type Family, familiesOf, mergeFamilies, PROMETHEUS, prometheusText } from "./metrics/prometheus.ts";
export type { Page, RankedPage } from "./pages.ts";
export { ScanGate } from "./scan.ts";
export { type FieldDescription, fieldsOf, inputFromWords, jsonSchemaOf } from "./words.ts";
