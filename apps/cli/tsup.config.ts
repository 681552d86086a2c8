import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

// The packages of the workspace stay imports: they are published too, and a plugin that is not used is not loaded.
export default defineConfig(library({ main: "src/main.ts" }));
