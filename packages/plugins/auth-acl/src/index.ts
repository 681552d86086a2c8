export { authAcl } from "./auth-acl.ts";
export { type AclFile, parseAclFile } from "./mosquitto-file.ts";
export type { AuthAclOptions } from "./options.ts";
