// What one batch costs in each engine, without encoding or index: the numbers of docs/adr/0010-durable-store.md.
// `lmdb` is no dependency of the project; run it where lmdb 3.5.6 is installed:  node engines.mjs [directory]
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";

const dir = fs.mkdtempSync(join(process.argv[2] ?? tmpdir(), "engines-"));
const OPS = 200_000;
const OP_BYTES = 120;

async function measure(name, ops, run) {
  const started = performance.now();
  const before = process.cpuUsage();
  await run();
  const cpu = process.cpuUsage(before);
  const wall = ((performance.now() - started) * 1000) / ops;
  console.log(
    `${name.padEnd(52)} ${wall.toFixed(2).padStart(7)} µs/op  ${((cpu.user + cpu.system) / ops).toFixed(2).padStart(6)} µs CPU`,
  );
}

for (const per of [50, 500, 5000]) {
  const record = Buffer.alloc(OP_BYTES, 7);
  const batch = Buffer.alloc(per * OP_BYTES, 7);
  const synced = Math.min(OPS / per, 400);
  const lmdb = (name, options) =>
    open({
      path: join(dir, `${name}-${per}`),
      compression: false,
      encoding: "binary",
      keyEncoding: "uint32",
      ...options,
    });
  const each = lmdb("each", { noSync: true });
  let key = 0;
  let gone = 0;
  await measure(`lmdb, a record per operation, ${per} a batch`, OPS, () => {
    for (let i = 0; i < OPS / per; i++)
      each.transactionSync(() => {
        for (let j = 0; j < per; j++) each.put(key++, record);
      });
  });
  await each.close();
  const whole = lmdb("whole", { noSync: true });
  await measure(`lmdb, a record per batch, ${per} a batch`, OPS, () => {
    for (let i = 0; i < OPS / per; i++) {
      whole.putSync(key++, batch);
      if (i > 100) whole.removeSync(gone++);
    }
  });
  await whole.close();
  const flushed = lmdb("flushed", {});
  await measure(`lmdb, a record per batch, flushed, ${per} a batch`, synced * per, async () => {
    for (let i = 0; i < synced; i++) {
      flushed.put(key++, batch);
      await flushed.flushed;
    }
  });
  await flushed.close();
  const fd = fs.openSync(join(dir, `file-${per}`), "w");
  await measure(`file, a write per batch, ${per} a batch`, OPS, () => {
    for (let i = 0; i < OPS / per; i++) fs.writeSync(fd, batch);
  });
  await measure(`file, a write and fdatasync per batch, ${per} a batch`, synced * per, async () => {
    for (let i = 0; i < synced; i++) {
      fs.writeSync(fd, batch);
      await new Promise((resolve, reject) => fs.fdatasync(fd, (error) => (error ? reject(error) : resolve())));
    }
  });
  fs.closeSync(fd);
}
fs.rmSync(dir, { recursive: true });
