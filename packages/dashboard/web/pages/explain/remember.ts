// Puts the question into the address, without a new page.
import { hrefOf } from "../../pure/route.ts";

export function remember(question: Readonly<Record<string, string>>): void {
  history.replaceState(null, "", hrefOf("explain", undefined, question));
}
