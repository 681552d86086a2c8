export { type AuthLdapOptions, authLdap } from "./auth-ldap.ts";
