// `wrenmq top`: prints statistics and the busiest clients again and again. Each page takes the second in which the
// broker measures its rates.
import { answerText } from "./print.ts";
import { refusal } from "./run.ts";
import { clientOf, type TargetWords } from "./target.ts";

const ROWS = 10;
const CLEAR = "\u001b[H\u001b[2J";

/** @throws CommandError */
export async function top(target: TargetWords, count: number): Promise<void> {
  try {
    const client = await clientOf(target);
    for (let page = 0; page < count; page++) {
      const stats = await client.call("stats", true, { sampleMs: 1_000 });
      const clients = await client.call("clients.list", true, { sort: "queued", limit: ROWS });
      if (target.json === true) process.stdout.write(`${JSON.stringify({ stats, clients })}\n`);
      else process.stdout.write(`${process.stdout.isTTY ? CLEAR : ""}${answerText(stats)}\n${answerText(clients)}`);
    }
  } catch (error) {
    throw refusal(error, []);
  }
}
