// `tls: { user_name_from: … }` of a listener, as a plugin for this listener only.
import type { ListenerSection, PluginSection, WrenConfig } from "@wrenmq/config";

export function namesFromCertificates(config: WrenConfig): WrenConfig {
  const made = new Map(config.listeners.flatMap((listener) => pluginFor(listener) ?? []));
  if (made.size === 0) return config;
  const configured = config.plugins.map(({ name }) => name);
  const listeners = config.listeners.map((listener): ListenerSection => {
    const own = made.get(listener.name);
    const others = listener.access === "inherit" ? configured : listener.access;
    return { ...listener, access: own === undefined ? others : [own.name, ...others] };
  });
  return { ...config, listeners, plugins: [...made.values(), ...config.plugins] };
}

function pluginFor({ name, tls }: ListenerSection): [[string, PluginSection]] | undefined {
  if (tls === undefined || tls.userNameFrom === "none") return undefined;
  const options = { identity: tls.userNameFrom, required: tls.requireCertificate };
  return [[name, { name: `certificate of ${name}`, use: "x509", origin: "built-in", options }]];
}
