export { eventLog } from "./event-log.ts";
export { type PacketLogOptions, packetLog } from "./packet-log.ts";
