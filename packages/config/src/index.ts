export { type CheckFilesOptions, checkFiles } from "./check-files.ts";
export { type ChangeEffect, type ConfigChange, configChanges } from "./config-changes.ts";
export { type DescribeOptions, describe } from "./describe.ts";
export { parseSize } from "./description/quantities.ts";
export type { JsonSchema } from "./description/value-type.ts";
export type { Style } from "./detect-style.ts";
export { ConfigError, type Diagnostic, diagnosticAt, formatDiagnostic, inOrder, type Place } from "./diagnostic.ts";
export { diffConfig, type ListenerUpdate, type ReloadPlan } from "./diff-config.ts";
export type { Inspection, ParseResult } from "./inspect.ts";
export { configSchema } from "./json-schema.ts";
export {
  defaultConfig,
  detectStyle,
  fromObject,
  inspectConfig,
  inspectText,
  loadConfig,
  type ObjectOptions,
  parseConfig,
} from "./load.ts";
export { type Migration, migrate } from "./migrate.ts";
export type { ParseOptions } from "./native-tree.ts";
export type { Environment } from "./reading/environment.ts";
export { riskWarnings } from "./risk-warnings.ts";
export { pluginOptionKey } from "./sections/plugins.ts";
export { workerCount } from "./sections/root.ts";
export type {
  AdminSection,
  AdminTlsSection,
  BuiltInPlugin,
  ClusterSection,
  KeepAliveConfig,
  Limits,
  ListenerSection,
  ListenerType,
  LogSection,
  PluginSection,
  SessionConfig,
  SharedSection,
  SniCertificate,
  StoreSection,
  SysSection,
  TlsSection,
  WrenConfig,
} from "./wren-config.ts";
