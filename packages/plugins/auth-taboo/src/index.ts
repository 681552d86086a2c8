export { authTaboo } from "./auth-taboo.ts";
export type { AuthTabooOptions } from "./options.ts";
