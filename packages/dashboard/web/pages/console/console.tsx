// Publish a message, and see messages come.
import { may } from "../../api/session.ts";
import { Empty } from "../../parts/states.tsx";
import type { PageProps } from "../../pure/route.ts";
import { PublishForm } from "./publish-form.tsx";
import { Subscription } from "./subscription.tsx";

export function Console({ route: { query } }: PageProps) {
  if (!may("operate")) return <Empty>Messages are for those who have the role “operate”: this token has it not.</Empty>;
  return (
    <div class="halves">
      <PublishForm topic={query["topic"] ?? ""} />
      <Subscription filter={query["filter"]} />
    </div>
  );
}
