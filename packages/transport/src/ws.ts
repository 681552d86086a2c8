// The door `@wrenmq/transport/ws`: WebSocket listeners, and with them the `ws` package.
export { createWebSocketListener } from "./listeners/ws.ts";
