export { type AuthX509Options, authX509 } from "./auth-x509.ts";
