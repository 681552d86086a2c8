export type { ShadowDocument, ShadowMetadata, ShadowState } from "./document.ts";
export { type PluginShadowsOptions, pluginShadows } from "./plugin-shadows.ts";
