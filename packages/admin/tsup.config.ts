import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

export default defineConfig(
  library({
    index: "src/index.ts",
    http: "src/http/index.ts",
    socket: "src/socket/index.ts",
    members: "src/members/index.ts",
    client: "src/client/index.ts",
    trace: "src/trace/index.ts",
    replay: "src/recording/index.ts",
  }),
);
