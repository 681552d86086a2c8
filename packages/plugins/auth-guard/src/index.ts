export { authGuard } from "./auth-guard.ts";
export type { AuthGuardOptions } from "./options.ts";
