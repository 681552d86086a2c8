import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

export default defineConfig(library({ index: "src/index.ts", ws: "src/ws.ts", memory: "src/memory.ts" }));
