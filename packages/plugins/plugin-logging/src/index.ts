export { eventLog } from "./event-log.ts";
export type { PacketLogOptions } from "./options.ts";
export { packetLog } from "./packet-log.ts";
