// The whole page: sign in, then the shell with one page in it.
import { useEffect } from "preact/hooks";
import { startFeed } from "./api/feed.ts";
import { findSession, session } from "./api/session.ts";
import { pageOf } from "./pages/index.ts";
import { Login } from "./pages/login.tsx";
import { Announcements } from "./parts/announce.tsx";
import { useRoute, useStore } from "./parts/hooks.ts";
import { Shell } from "./parts/shell.tsx";
import { Loading } from "./parts/states.tsx";

const RETRY = 3_000;

export function App() {
  const state = useStore(session);
  useEffect(() => {
    if (state.kind !== "unreachable") return undefined;
    const timer = setInterval(() => void findSession(), RETRY);
    return () => clearInterval(timer);
  }, [state.kind]);
  switch (state.kind) {
    case "loading":
      return <Loading />;
    case "unreachable":
      return (
        <main class="login">
          <div class="panel">
            <h1>WrenMQ</h1>
            <p class="note failed" role="alert">
              The broker does not answer. Trying again every few seconds …
            </p>
          </div>
        </main>
      );
    case "out":
      return <Login state={state} />;
    case "in":
      return <Inside />;
  }
}

function Inside() {
  useEffect(startFeed, []);
  const route = useRoute();
  const { title, view: View } = pageOf(route);
  useEffect(() => {
    document.title = `${title} · WrenMQ`;
  }, [title]);
  return (
    <>
      <Shell route={route} title={title}>
        <View key={`${route.page}/${route.rest ?? ""}`} route={route} />
      </Shell>
      <Announcements />
    </>
  );
}
