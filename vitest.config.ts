import { existsSync, readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

// Tests run on the sources, with no build: the "@wrenmq/source" export condition points there.
const conditions = ["@wrenmq/source"];
const roots = ["packages", "apps", "examples"].filter((root) => existsSync(root));
const members = roots.flatMap((root) => readdirSync(root).map((name) => ({ name, root: `${root}/${name}` })));

export default defineConfig({
  test: {
    projects: [
      ...members
        .filter((member) => existsSync(`${member.root}/test`))
        .map((member) => ({
          resolve: { conditions },
          ssr: { resolve: { conditions, externalConditions: conditions } },
          test: {
            name: member.name,
            root: member.root,
            include: ["test/**/*.test.ts"],
            testTimeout: 20_000,
            ...(existsSync(`${member.root}/test/global-setup.ts`) ? { globalSetup: "test/global-setup.ts" } : {}),
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
