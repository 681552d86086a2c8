/** The environment variable with the password of a client. */
export const PASSWORD_VARIABLE = "WRENMQ_PASSWORD";
