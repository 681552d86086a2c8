export { authX509 } from "./auth-x509.ts";
export type { AuthX509Options } from "./options.ts";
