// Logging is somebody else's: the broker only says what happened. Without a logger it says nothing.
import type { Logger } from "@wrenmq/plugin-api";

const ignore = (): void => {};

export const silentLogger: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => silentLogger,
  isLevelEnabled: () => false,
};
