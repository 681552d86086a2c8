export { covers, decideByGrants, plainFilter, type TopicGrants } from "./topic-grants.ts";
