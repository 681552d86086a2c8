/** The environment variable that the password of a client is taken from. */
export const PASSWORD_VARIABLE = "WRENMQ_PASSWORD";
