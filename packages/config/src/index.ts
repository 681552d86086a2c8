export type { Style } from "./detect-style.ts";
export { ConfigError, type Diagnostic, formatDiagnostic, type Place } from "./diagnostic.ts";
export type { Environment } from "./environment.ts";
export {
  defaultConfig,
  detectStyle,
  fromObject,
  loadConfig,
  type ParseOptions,
  type ParseResult,
  parseConfig,
} from "./load.ts";
export { workerCount } from "./sections/root.ts";
export type {
  BuiltInPlugin,
  KeepAliveConfig,
  Limits,
  ListenerSection,
  ListenerType,
  LogSection,
  Overflow,
  PluginSection,
  SessionConfig,
  SniCertificate,
  StoreSection,
  SysSection,
  TlsSection,
  WrenConfig,
} from "./wren-config.ts";
