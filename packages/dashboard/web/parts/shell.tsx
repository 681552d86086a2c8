// What is around each page: navigation, the state of the connection, who is signed in.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { feedState } from "../api/feed.ts";
import { session, signOut } from "../api/session.ts";
import { duration } from "../pure/format.ts";
import type { Route } from "../pure/route.ts";
import { useNow, useStore } from "./hooks.ts";
import { Icon } from "./icon.tsx";
import { NAVIGATION } from "./navigation.ts";
import { switchTheme, theme } from "./theme.ts";

interface ShellProps {
  readonly route: Route;
  readonly title: string;
  readonly children: ComponentChildren;
}

export function Shell({ route, title, children }: ShellProps) {
  const [open, setOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const address = `${route.page}/${route.rest ?? ""}`;
  const first = useRef(address);
  useEffect(() => {
    setOpen(false);
    if (first.current === address) return;
    first.current = "";
    main.current?.focus();
    scrollTo(0, 0);
  }, [address]);
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <nav class="side" aria-label="Pages">
        <div class="brand">
          <img src="./icon.svg" alt="" width="22" height="22" />
          <b>WrenMQ</b>
          <Connection />
          <button
            type="button"
            class="menu"
            aria-expanded={open}
            aria-controls="pages"
            onClick={() => setOpen((before) => !before)}
          >
            Menu
          </button>
        </div>
        <div id="pages" class={open ? "open" : ""}>
          <ul>
            {NAVIGATION.map(({ page, title: name, icon, begins }) => (
              <li key={page} class={begins === true ? "begins" : ""}>
                <a href={`#/${page}`} aria-current={route.page === page ? "page" : undefined}>
                  <Icon name={icon} />
                  {name}
                </a>
              </li>
            ))}
          </ul>
          <Account />
        </div>
      </nav>
      <main id="main" ref={main} tabIndex={-1}>
        <Lost />
        <h1>{title}</h1>
        {children}
      </main>
    </div>
  );
}

function Connection() {
  const { kind } = useStore(feedState);
  const words = { live: "live", connecting: "connecting", lost: "no connection" }[kind];
  return (
    <span class={`connection ${kind}`} role="status">
      {words}
    </span>
  );
}

function Lost() {
  const state = useStore(feedState);
  return state.kind === "lost" ? <LostSince since={state.since} nextTry={state.nextTry} /> : null;
}

function LostSince({ since, nextTry }: { readonly since: number; readonly nextTry: number }) {
  const now = useNow(500);
  const wait = Math.ceil((nextTry - now) / 1_000);
  return (
    <div class="note failed lost" role="alert">
      <b>No connection to the broker</b> for {duration((now - since) / 1_000)}. What you see is from before.{" "}
      {wait > 0 ? `Next try in ${duration(wait)}.` : "Trying …"}
    </div>
  );
}

function Account() {
  const state = useStore(session);
  const chosen = useStore(theme);
  if (state.kind !== "in") return null;
  return (
    <div class="account">
      <span class="soft" title={state.who}>
        {state.open ? "anybody" : state.who.replace(/^token \S+ of /, "")} · {state.role}
      </span>
      <div class="buttons">
        <button type="button" onClick={switchTheme} title="Light, dark, or as the system is">
          Look: {chosen}
        </button>
        {!state.open && (
          <button type="button" onClick={() => void signOut()}>
            Sign out
          </button>
        )}
      </div>
    </div>
  );
}
