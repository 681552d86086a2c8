// Makes the command out of the sources, as a user would run it; every run has a folder of its own.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { bundle } from "../bundle.mjs";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the program. */
    readonly crashProgram: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "wrenmq-crash-program-"));
  project.provide("crashProgram", await bundle("wrenmq", folder));
  return () => rm(folder, { recursive: true, force: true });
}
