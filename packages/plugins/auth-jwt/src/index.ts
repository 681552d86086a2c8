export { type AuthJwtOptions, authJwt } from "./auth-jwt.ts";
