// The table of pages.
import type { ComponentType } from "preact";
import type { PageProps, Route } from "../pure/route.ts";
import { ClientPage } from "./client/client.tsx";
import { Clients } from "./clients.tsx";
import { Configuration } from "./configuration.tsx";
import { Console } from "./console/console.tsx";
import { Explain } from "./explain/explain.tsx";
import { Listeners } from "./listeners.tsx";
import { NotFound } from "./not-found.tsx";
import { Overview } from "./overview.tsx";
import { Plugins } from "./plugins.tsx";
import { RetainedMessages } from "./retained/retained.tsx";
import { Sessions } from "./sessions.tsx";
import { Topics } from "./topics/topics.tsx";
import { Trace } from "./trace/trace.tsx";

interface Page {
  readonly title: string;
  readonly view: ComponentType<PageProps>;
}

const PAGES: Readonly<Record<string, Page>> = {
  overview: { title: "Overview", view: Overview },
  clients: { title: "Clients", view: Clients },
  sessions: { title: "Sessions", view: Sessions },
  topics: { title: "Topics", view: Topics },
  retained: { title: "Retained messages", view: RetainedMessages },
  trace: { title: "Trace", view: Trace },
  console: { title: "Publish and subscribe", view: Console },
  explain: { title: "Who gets it?", view: Explain },
  listeners: { title: "Listeners", view: Listeners },
  plugins: { title: "Plugins", view: Plugins },
  configuration: { title: "Configuration", view: Configuration },
};

export function pageOf({ page, rest }: Route): Page {
  if (page === "clients" && rest !== undefined) return { title: rest, view: ClientPage };
  return (Object.hasOwn(PAGES, page) ? PAGES[page] : undefined) ?? { title: "Nothing here", view: NotFound };
}
