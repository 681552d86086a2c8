// Checks the types of every package as its own tsconfig.json has them. Each `tsc -p` would read and check the sources of
// the packages that it imports once more: here a file is parsed once for all, and checked only with the package that has
// it. The packages are shared out among as many processes as there are cores.
//
//   node scripts/typecheck.mjs [FOLDER ...]      default: all
import { fork } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { members, root } from "./workspace.mjs";

/** Options that decide how a file is parsed: files are shared by programs that agree on them. */
const PARSED_BY = ["target", "module", "moduleDetection", "jsx", "jsxImportSource"];
const shared = new Map();
const formatHost = { getCanonicalFileName: (name) => name, getCurrentDirectory: () => root, getNewLine: () => "\n" };

if (process.send === undefined) await main();
else process.on("message", ({ folder }) => process.send(check(folder)));

async function main() {
  const asked = process.argv.slice(2);
  // What runs in a browser has other globals, and a tsconfig.json of its own.
  const all = members().flatMap((folder) => [folder, `${folder}/web`]);
  const folders = (asked.length > 0 ? asked : all).filter((folder) => existsSync(join(root, folder, "tsconfig.json")));
  // The largest first: the last ones are then short, and no process waits long for another.
  const queue = folders.toSorted((a, b) => bytesIn(join(root, b)) - bytesIn(join(root, a)));
  const processes = Array.from({ length: Math.min(availableParallelism(), queue.length) }, () => work(queue));
  const problems = (await Promise.all(processes)).flat();
  for (const text of problems) process.stdout.write(text);
  process.stdout.write(`${folders.length} packages checked, ${problems.length} with mistakes\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

/** Lets a process check packages of the queue until it is empty; returns the mistakes, a text for each package with any. */
function work(queue) {
  const problems = [];
  const child = fork(fileURLToPath(import.meta.url), { execArgv: ["--max-old-space-size=4096"] });
  const next = () => {
    const folder = queue.shift();
    if (folder === undefined) child.disconnect();
    else child.send({ folder });
  };
  return new Promise((resolve, reject) => {
    child.on("message", (text) => {
      if (text !== "") problems.push(text);
      next();
    });
    child.on("error", reject);
    child.on("exit", (code) => (code === 0 ? resolve(problems) : reject(new Error(`a process ended with ${code}`))));
    next();
  });
}

/** Checks one package; returns its mistakes as text. */
function check(folder) {
  const here = join(root, folder);
  const fatal = [];
  const parsed = ts.getParsedCommandLineOfConfigFile(
    join(here, "tsconfig.json"),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (diagnostic) => fatal.push(diagnostic),
    },
  );
  if (parsed === undefined) return ts.formatDiagnostics(fatal, formatHost);
  const program = ts.createProgram({
    rootNames: parsed.fileNames,
    options: parsed.options,
    host: sharingHost(parsed.options),
    configFileParsingDiagnostics: parsed.errors,
  });
  const own = program
    .getSourceFiles()
    .filter(({ fileName }) => fileName.startsWith(here + sep) && !fileName.includes("/node_modules/"));
  const found = [
    ...program.getConfigFileParsingDiagnostics(),
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...own.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
      ...(parsed.options.declaration === true ? program.getDeclarationDiagnostics(file) : []),
    ]),
  ];
  return ts.formatDiagnostics(ts.sortAndDeduplicateDiagnostics(found), formatHost);
}

/** A compiler host that parses a file once for all programs. */
function sharingHost(options) {
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  const kind = PARSED_BY.map((name) => options[name]).join(" ");
  host.getSourceFile = (fileName, languageVersion, ...rest) => {
    const format = typeof languageVersion === "object" ? languageVersion.impliedNodeFormat : undefined;
    const key = `${kind} ${format} ${fileName}`;
    if (!shared.has(key)) shared.set(key, read(fileName, languageVersion, ...rest));
    return shared.get(key);
  };
  return host;
}

function bytesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    if (entry.name === "node_modules" || entry.name === "dist") return sum;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sum + bytesIn(path);
    return /\.tsx?$/.test(entry.name) ? sum + statSync(path).size : sum;
  }, 0);
}
