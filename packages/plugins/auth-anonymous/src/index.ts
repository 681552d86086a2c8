export { authAnonymous } from "./auth-anonymous.ts";
export type { AuthAnonymousOptions } from "./options.ts";
