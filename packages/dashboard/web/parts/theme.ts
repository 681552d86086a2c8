// Light or dark: what the system says, unless somebody has chosen.
import { Store } from "../pure/store.ts";

export type Theme = "system" | "light" | "dark";

const KEY = "wrenmq-theme";
const NEXT: Readonly<Record<Theme, Theme>> = { system: "dark", dark: "light", light: "system" };

export const theme: Store<Theme> = new Store<Theme>(remembered());

const isDark = (): boolean => matchMedia("(prefers-color-scheme: dark)").matches;
const lookOf = (value: Theme): string => (value === "system" ? (isDark() ? "dark" : "light") : value);

/** What is seen: "light" or "dark". What is drawn with colours of the style sheet is drawn again when it changes. */
export const look: Store<string> = new Store<string>(lookOf(theme.value));

function remembered(): Theme {
  try {
    const word = localStorage.getItem(KEY);
    return word === "light" || word === "dark" ? word : "system";
  } catch {
    return "system";
  }
}

export function startTheme(): void {
  applyTheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
}

function applyTheme(): void {
  const { value } = theme;
  if (value === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = value;
  look.set(lookOf(value));
}

export function switchTheme(): void {
  const next = NEXT[theme.value];
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // It is forgotten with the page.
  }
  theme.set(next);
  applyTheme();
}

/** The colour of a variable of the style sheet, as a canvas wants it. */
export function colorOf(variable: string, alpha = 1): string {
  const probe = document.createElement("i");
  probe.style.color =
    alpha === 1 ? `var(${variable})` : `color-mix(in srgb, var(${variable}) ${alpha * 100}%, transparent)`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
