export { createHandler, type Handler, type HandlerOptions, type Principal } from "./handler.ts";
export { openApi } from "./openapi.ts";
export { type Problem, problemOf } from "./problem.ts";
export { AdminHttp, type AdminHttpOptions } from "./server.ts";
