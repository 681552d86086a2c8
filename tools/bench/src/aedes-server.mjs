// Starts Aedes as its documentation does. Usage: node aedes-server.mjs PORT [FOLDER for aedes-persistence-level]
import { createServer } from "node:net";
import { Aedes } from "aedes";

const [port, folder] = process.argv.slice(2);

async function persistence() {
  if (folder === undefined) return undefined;
  const [{ ClassicLevel }, { default: level }] = await Promise.all([
    import("classic-level"),
    import("aedes-persistence-level"),
  ]);
  return level(new ClassicLevel(folder, { valueEncoding: "json" }));
}

const store = await persistence();
const broker = await Aedes.createBroker(store === undefined ? {} : { persistence: store });
createServer({ noDelay: true }, broker.handle).listen(Number(port), "127.0.0.1");
process.once("SIGTERM", () => process.exit());
