export { type AuthTokenOptions, authToken } from "./auth-token.ts";
export {
  createToken,
  listTokens,
  type NewToken,
  revokeToken,
  TokenFileError,
  type TokenFileErrorCode,
} from "./edit-token-file.ts";
export { parseTokenFile, type StoredToken } from "./token-file.ts";
