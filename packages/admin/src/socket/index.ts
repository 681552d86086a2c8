export { AdminSocket, type AdminSocketOptions } from "./admin-socket.ts";
export { runningSockets, runtimeFolder, SOCKET_NAME, socketIn } from "./location.ts";
