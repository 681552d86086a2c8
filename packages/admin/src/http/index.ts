export { createHandler, type Handler, type HandlerOptions } from "./handler.ts";
export { openApi } from "./openapi.ts";
export type { Principal } from "./principal.ts";
export { type Problem, problemOf } from "./problem.ts";
export { AdminHttp, type AdminHttpOptions } from "./server.ts";
