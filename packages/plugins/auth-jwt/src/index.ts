export { authJwt } from "./auth-jwt.ts";
export type { AuthJwtOptions } from "./options.ts";
