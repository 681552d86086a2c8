// The command, as the command's own tests have it.
export { default } from "../../../apps/cli/test/global-setup.ts";
