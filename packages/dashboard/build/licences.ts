// The licences of the packages that are in the bundle, as their authors want them to be passed on.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** @param modules paths of the modules in the bundle */
export function licencesOf(modules: Iterable<string>): string {
  const packages = new Map<string, string>();
  for (const module of modules) {
    const folder = packageOf(module);
    if (folder === undefined) continue;
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
      readonly name: string;
      readonly version: string;
      readonly license: string;
    };
    const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
    const text = file === undefined ? "" : readFileSync(join(folder, file), "utf8").trim();
    packages.set(name, `${name} ${version} (${license})\n\n${text}\n`);
  }
  const texts = [...packages].toSorted(([one], [other]) => one.localeCompare(other)).map(([, text]) => text);
  return `This dashboard contains:\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

/** The folder of an installed package; undefined: the module is our own. */
function packageOf(module: string): string | undefined {
  if (!module.includes("/node_modules/")) return undefined;
  for (let folder = dirname(module); folder.includes("/node_modules/"); folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    // Folders inside a package may have a manifest without a name.
    if (existsSync(manifest) && /"version"/.test(readFileSync(manifest, "utf8"))) return folder;
  }
  return undefined;
}
