// What a page shows when there is nothing to show: loading, empty, failed; and small labels.
import type { ComponentChildren } from "preact";

export function Loading({ what = "Loading" }: { readonly what?: string }) {
  return (
    <p class="note loading" role="status">
      {what} …
    </p>
  );
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <div class="note empty">{children}</div>;
}

export function Failed({ error, retry }: { readonly error: string; readonly retry?: (() => void) | undefined }) {
  return (
    <div class="note failed" role="alert">
      <span>{error}</span>
      {retry !== undefined && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export type Tone = "ok" | "warn" | "bad" | "quiet";

export function Badge({ tone = "quiet", children }: { readonly tone?: Tone; readonly children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/** Says which members of the broker did not answer. */
export function Incomplete({ members }: { readonly members: readonly string[] | undefined }) {
  if (members === undefined || members.length === 0) return null;
  return (
    <p class="note partial" role="status">
      No answer from {members.join(", ")}: what it has is missing here.
    </p>
  );
}

/** Names and values. */
export function Facts({ children }: { readonly children: ComponentChildren }) {
  return <dl class="facts">{children}</dl>;
}

export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Section({
  title,
  aside,
  children,
}: {
  readonly title: string;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {aside !== undefined && <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}
