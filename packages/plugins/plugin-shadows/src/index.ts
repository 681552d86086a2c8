export type { ShadowDocument, ShadowMetadata, ShadowState } from "./document.ts";
export type { PluginShadowsOptions } from "./options.ts";
export { pluginShadows } from "./plugin-shadows.ts";
