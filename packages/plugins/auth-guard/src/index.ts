export { type AuthGuardOptions, authGuard } from "./auth-guard.ts";
