export { type AuthAclOptions, authAcl } from "./auth-acl.ts";
export { type AclFile, parseAclFile } from "./mosquitto-file.ts";
