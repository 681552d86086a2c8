// Says what of a stream is not shown, and why.

/** @param reasons false: it has not happened */
export function LeftOut({ reasons }: { readonly reasons: readonly (string | false)[] }) {
  const happened = reasons.filter((one) => one !== false);
  if (happened.length === 0) return null;
  return (
    <p class="note panel" role="status">
      <b class="warn">Left out:</b> {happened.join(" ")}
    </p>
  );
}
