export { AdminClient, type AdminTarget, findTarget, type TargetOptions } from "./admin-client.ts";
export { RemoteProblem } from "./remote-problem.ts";
