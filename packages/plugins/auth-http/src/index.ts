export { authHttp } from "./auth-http.ts";
export type { AuthHttpOptions } from "./options.ts";
