import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

export default defineConfig(
  library({
    index: "src/index.ts",
    grants: "src/grants/index.ts",
    options: "src/options/index.ts",
    testing: "src/testing/index.ts",
  }),
);
