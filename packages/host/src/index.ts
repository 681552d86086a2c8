export { announce, type Listening, listeningOf } from "./announce.ts";
export {
  brokerFromConfig,
  type ConfiguredBroker,
  type HostOptions,
  hostBroker,
  type ReadEffective,
} from "./broker-from-config.ts";
export { checkSetup, type SetupCheck, type SetupOptions } from "./check-setup.ts";
export { configToOptions } from "./config-to-options.ts";
export { type Describe, messageOf } from "./describe.ts";
export { namesFromCertificates } from "./names-from-certificates.ts";
export { BUILT_IN_PLUGINS, type MakePlugin } from "./plugins/built-in.ts";
export { loadPlugin, loadPlugins } from "./plugins/load-plugin.ts";
export { type EffectiveConfig, type ReadOptions, type Running, readConfig } from "./read-config.ts";
export { type Reload, Reloader, type ReloadHow, type ReloadOptions, type ReloadOutcome, reloading } from "./reload.ts";
export { shareOf } from "./share.ts";
export { type Preparation, prepareForClients } from "./warm-up.ts";
export { whoMayConnect } from "./who-may-connect.ts";
