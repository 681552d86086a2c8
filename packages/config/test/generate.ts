// What is generated from the tables: the published JSON Schema and the key tables of docs/configuration.md.

import { type Fields, fieldTable } from "../src/description/section.ts";
import { configSchema } from "../src/index.ts";
import { adminSection } from "../src/sections/admin.ts";
import { clusterSection } from "../src/sections/cluster.ts";
import { limitsSection } from "../src/sections/limits.ts";
import { listenerSection } from "../src/sections/listeners.ts";
import { keepAliveSection, logSection, sessionSection, sharedSection, sysSection } from "../src/sections/operation.ts";
import { BUILT_IN } from "../src/sections/plugins.ts";
import { rootSection } from "../src/sections/root.ts";
import { storeSection } from "../src/sections/store.ts";
import { tlsSection } from "../src/sections/tls.ts";

export const schemaText = (): string => `${JSON.stringify(configSchema(), null, 2)}\n`;

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function table(fields: object): string {
  const rows = fieldTable(fields as Fields<Record<string, unknown>>).map((field) => {
    const byDefault = field.default === undefined ? undefined : field.type.write(field.default, { mask: false });
    const nested = typeof byDefault === "object" && byDefault !== null && !Array.isArray(byDefault);
    const shown = field.required
      ? "needed"
      : byDefault === undefined || nested
        ? ""
        : `\`${JSON.stringify(byDefault)}\``;
    return `| \`${field.key}\` | ${cell(field.type.expected)} | ${cell(shown)} | ${cell(field.doc)} |`;
  });
  if (rows.length === 0) return "No options.";
  return ["| key | value | default | |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

const sections: Readonly<Record<string, () => string>> = {
  root: () => table(rootSection.fields),
  listeners: () => table(listenerSection.fields),
  tls: () => table(tlsSection.fields),
  limits: () => table(limitsSection.fields),
  store: () => table(storeSection.fields),
  session: () => table(sessionSection.fields),
  keep_alive: () => table(keepAliveSection.fields),
  shared_subscriptions: () => table(sharedSection.fields),
  sys: () => table(sysSection.fields),
  log: () => table(logSection.fields),
  admin: () => table(adminSection.fields),
  cluster: () => table(clusterSection.fields),
  plugins: () =>
    Object.entries(BUILT_IN)
      .map(([name, { doc, fields }]) => `### \`${name}\`\n\n${doc}\n\n${table(fields)}`)
      .join("\n\n"),
};

/** Markdown without the alignment of its tables, which the formatter owns. */
export const unaligned = (document: string): string => document.replaceAll(/ {2,}/g, " ").replaceAll(/-{3,}/g, "---");

/** The document with the text between its markers made anew. */
export function withTables(document: string): string {
  return document.replaceAll(
    /(<!-- keys of ([a-z_]+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_whole, start: string, name: string, end: string) => `${start}\n${sections[name]?.() ?? "?"}\n\n${end}`,
  );
}
