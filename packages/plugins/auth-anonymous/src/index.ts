export { type AuthAnonymousOptions, authAnonymous } from "./auth-anonymous.ts";
