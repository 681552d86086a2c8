export { authToken, checkTokenFile } from "./auth-token.ts";
export {
  createToken,
  listTokens,
  type NewToken,
  revokeToken,
  TokenFileError,
  type TokenFileErrorCode,
} from "./edit-token-file.ts";
export type { AuthTokenOptions } from "./options.ts";
export { digestOf, idOfToken, parseTokenFile, type StoredToken, TOKEN_ROLES, type TokenRole } from "./token-file.ts";
