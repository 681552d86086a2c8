// What was dropped, by reason: the metrics `droppedQueueFull`, … without their prefix.
import type { Metrics } from "@wrenmq/broker";

const PREFIX = "dropped";

/** By reason, as hooks name it (`queueFull`); reasons without a loss too. */
export function dropsByReason(metrics: Metrics): Record<string, number> {
  const drops: Record<string, number> = {};
  for (const [name, count] of Object.entries(metrics)) {
    if (!name.startsWith(PREFIX)) continue;
    drops[name.charAt(PREFIX.length).toLowerCase() + name.slice(PREFIX.length + 1)] = count;
  }
  return drops;
}
