export { authLdap } from "./auth-ldap.ts";
export type { AuthLdapOptions } from "./options.ts";
