// A broker on a free port that tells its parent how much memory it uses, without garbage, whenever it is asked.
// Usage: fork with --expose-gc; CERTIFICATE KEY: files for TLS
import { createBroker } from "@wrenmq/broker";

const everybody = { name: "everybody", setup: () => ({ authenticate: () => true }) };
const broker = createBroker({
  listeners: {
    tcp: { type: "tcp", host: "127.0.0.1", port: 0 },
    ws: { type: "ws", host: "127.0.0.1", port: 0 },
  },
  plugins: [everybody],
  sys: { intervalSeconds: 0 },
});
const [cert, key] = process.argv.slice(2);
await broker.start();
await broker.addListener("tls", { type: "tls", host: "127.0.0.1", port: 0, tls: { certificates: [{ cert, key }] } });
process.on("message", () => {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  process.send({ used: heapUsed + external, connections: [...broker.clients()].length });
});
process.on("disconnect", () => process.exit());
process.send({ tcp: broker.port("tcp"), ws: broker.port("ws"), tls: broker.port("tls") });
