// Checks a data folder after a run with the tools of `wrenmq store`: undamaged, and the same after export and import.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runProgram(program: string, words: readonly string[], input = ""): Promise<Finished> {
  const child = spawn(process.execPath, [program, ...words], { stdio: ["pipe", "pipe", "pipe"] });
  const [out, err]: string[][] = [[], []];
  child.stdout.setEncoding("utf8").on("data", (text: string) => out?.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => err?.push(text));
  child.stdin.on("error", () => {}); // it may end without reading
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout: out?.join("") ?? "", stderr: err?.join("") ?? "" };
}

/** Each store in the folder of the data: of one process it is the folder itself. @returns what is wrong */
export async function checkData(program: string, data: string, spare: string): Promise<string[]> {
  const problems: string[] = [];
  for (const path of await storesIn(data)) {
    problems.push(...(await checkFolder(program, path, await mkdtemp(join(spare, "check-")))));
  }
  return problems;
}

async function storesIn(data: string): Promise<string[]> {
  if (!existsSync(join(data, "workers.json"))) return [data];
  const names = await readdir(data, { recursive: true });
  const stores = names.filter((name) => /(?:^|[\\/])worker-\d+$/.test(name));
  return stores.map((name) => join(data, name));
}

/** @param spare an existing folder for copies @returns what is wrong */
export async function checkFolder(program: string, data: string, spare: string): Promise<string[]> {
  const problems: string[] = [];
  const must = async (words: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await runProgram(program, ["store", ...words], input);
    if (code !== 0) problems.push(`wrenmq store ${words[0]}: exit code ${code}: ${stdout}${stderr}`);
    return stdout;
  };
  await must(["check", data]);
  const dump = await must(["dump", data]);
  const exported = await must(["export", data]);
  const copy = join(spare, "copy");
  await must(["import", copy], exported);
  if (sorted(await must(["export", copy])) !== sorted(exported)) problems.push("the copy is not what was exported");
  await must(["compact", data]);
  await must(["check", data]);
  if (sorted(await must(["dump", data])) !== sorted(dump)) problems.push("compact has changed what holds");
  return problems;
}

function sorted(lines: string): string {
  return lines.split("\n").toSorted().join("\n");
}
