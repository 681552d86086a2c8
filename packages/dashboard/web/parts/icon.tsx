// Small drawings of lines, 16 by 16.

const PATHS = {
  pulse: "M1.500 8.500h3l2-5 3 9 2-4h3",
  device: "M4.500 1.500h7v13h-7z M7 12h2",
  hourglass:
    "M4 1.500h8 M4 14.500h8 M5 1.500c0 4 6 4 6 6.500s-6 2.500-6 6.500 M11 1.500c0 4-6 4-6 6.500s6 2.500 6 6.500",
  tree: "M3.500 2v11.500h4 M3.500 5.500h4 M9.500 3.500h4v4h-4z M9.500 11h4v4h-4z",
  pin: "M3 2.500h10v11l-5-3-5 3z",
  send: "M1.500 8l13-6-4 12.500-3-5z",
  wave: "M2 13V8 M5 13V4 M8 13V6.500 M11 13V2.500 M14 13V9",
  plug: "M5.500 1.500v4 M10.500 1.500v4 M3.500 5.500h9v3a4.500 4.500 0 0 1-9 0z M8 13v2",
  puzzle: "M2.500 5.500h3.500v-1a1.500 1.500 0 0 1 3 0v1h3.500v3h-1a1.500 1.500 0 0 0 0 3h1v3h-10z",
  question: "M5 5.500a3 3 0 1 1 4.500 2.600c-1 .6-1.500 1.200-1.500 2.400 M8 13v.5",
  sliders: "M2 4.500h7 M12 4.500h2 M9 2.500v4h3v-4z M2 11.500h2 M7 11.500h7 M4 9.500v4h3v-4z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
