// `wrenmq config check|migrate|schema`.
import { Command } from "commander";

export function configCommand(): Command {
  const config = new Command("config").description("check, translate and describe configuration files");
  config
    .command("check")
    .description("print what a file means, secrets masked; mistakes and risks go to stderr")
    .argument("<file>")
    .option("-q, --quiet", "only say what is wrong")
    .action(async (file: string, options: { readonly quiet?: boolean }) => {
      const { checkConfig } = await import("./config.ts");
      await checkConfig(file, options.quiet === true);
    });
  config
    .command("migrate")
    .description("translate a file of aMQTT or hbmqtt; what changes goes to stderr")
    .argument("<file>")
    .option("-o, --output <file>", "write it there; it must not exist")
    .action(async (file: string, options: { readonly output?: string }) => {
      const { migrateConfig } = await import("./config.ts");
      await migrateConfig(file, options.output);
    });
  config
    .command("schema")
    .description("print the JSON Schema of the native form, for editors")
    .action(async () => {
      const { printSchema } = await import("./config.ts");
      printSchema();
    });
  return config;
}
