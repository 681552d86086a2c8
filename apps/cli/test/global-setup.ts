// Makes a program out of the sources, so that tests run the command as users do and need no build. Every run has a folder
// of its own: nothing is shared with a build or with another run.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { bundleCommand } from "./support/bundle.mjs";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the program. */
    readonly wrenmq: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "wrenmq-command-"));
  project.provide("wrenmq", await bundleCommand(folder));
  return () => rm(folder, { recursive: true, force: true });
}
