// Entry point `@wrenmq/transport/ws`: WebSocket listeners.
export { createWebSocketListener } from "./listeners/ws.ts";
