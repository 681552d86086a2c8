export { type AuthTabooOptions, authTaboo } from "./auth-taboo.ts";
