// The pages of the navigation, in groups.
import type { IconName } from "./icon.tsx";

export interface NavigationEntry {
  readonly page: string;
  readonly title: string;
  readonly icon: IconName;
  /** The first of a group. */
  readonly begins?: boolean;
}

export const NAVIGATION: readonly NavigationEntry[] = [
  { page: "overview", title: "Overview", icon: "pulse" },
  { page: "clients", title: "Clients", icon: "device", begins: true },
  { page: "sessions", title: "Sessions", icon: "hourglass" },
  { page: "topics", title: "Topics", icon: "tree", begins: true },
  { page: "retained", title: "Retained", icon: "pin" },
  { page: "console", title: "Console", icon: "send" },
  { page: "explain", title: "Who gets it?", icon: "question" },
  { page: "trace", title: "Trace", icon: "wave" },
  { page: "listeners", title: "Listeners", icon: "plug", begins: true },
  { page: "plugins", title: "Plugins", icon: "puzzle" },
  { page: "configuration", title: "Configuration", icon: "sliders" },
];
