export { type AuthHttpOptions, authHttp } from "./auth-http.ts";
