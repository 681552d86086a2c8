import { existsSync } from "node:fs";
import { basename } from "node:path";
import { defineConfig } from "vitest/config";
import { members } from "./scripts/workspace.mjs";

// Tests run on the sources, with no build: the "@wrenmq/source" export condition points there.
const conditions = ["@wrenmq/source"];

export default defineConfig({
  test: {
    // One for each core: the default leaves one core to itself, but many tests wait for other processes.
    maxWorkers: "100%",
    projects: [
      ...members()
        .filter((folder) => existsSync(`${folder}/test`))
        .map((folder) => ({
          resolve: { conditions },
          ssr: { resolve: { conditions, externalConditions: conditions } },
          test: {
            name: basename(folder),
            root: folder,
            include: ["test/**/*.test.ts"],
            testTimeout: 20_000,
            ...(existsSync(`${folder}/test/global-setup.ts`) ? { globalSetup: "test/global-setup.ts" } : {}),
          },
        })),
      {
        resolve: { conditions },
        ssr: { resolve: { conditions, externalConditions: conditions } },
        test: { name: "repository", include: ["scripts/test/**/*.test.ts"], testTimeout: 20_000 },
      },
    ],
  },
});
