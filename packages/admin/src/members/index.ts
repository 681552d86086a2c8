export { answersOf, type MemberAnswers } from "./answers.ts";
export { type Member, MemberMissing, type MemberName, type Members } from "./member.ts";
export { type MemberChannel, workersAsMembers } from "./remote-members.ts";
export { type ShardsHere, shardsAsMembers } from "./shards-as-members.ts";
