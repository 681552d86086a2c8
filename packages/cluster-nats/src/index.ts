export { type LinkBus, NatsMesh } from "./links/nats-mesh.ts";
