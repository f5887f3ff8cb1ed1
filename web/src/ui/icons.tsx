/** Icons of 24 by 24 units, in the colour of the text; decorative, since their buttons have labels. */
const PATHS = {
  cancel: "M6 6l12 12M18 6L6 18",
  compare: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  create: "M12 3l2.2 6.8L21 12l-6.8 2.2L12 21l-2.2-6.8L3 12l6.8-2.2z",
  delete: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v6M14 11v6",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  gallery: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4",
  key: "M14 10a4 4 0 1 0-4 4l1-1h2v-2h2zM14 10l6-6M17 7l2 2",
  minus: "M5 12h14",
  next: "M9 5l7 7-7 7",
  plus: "M12 5v14M5 12h14",
  previous: "M15 5l-7 7 7 7",
  redo: "M15 5l5 5-5 5M20 10H9a5 5 0 0 0 0 10h3",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M13 7a2 2 0 1 0 4 0a2 2 0 1 0-4 0M7 17a2 2 0 1 0 4 0a2 2 0 1 0-4 0",
  star: "M12 4l2.5 5.2 5.7.8-4.1 4 1 5.6-5.1-2.7-5.1 2.7 1-5.6-4.1-4 5.7-.8z",
  undo: "M9 5l-5 5 5 5M4 10h11a5 5 0 0 1 0 10h-3",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, filled = false }: { readonly name: IconName; readonly filled?: boolean }) {
  return (
    <svg
      class={filled ? "icon icon-filled" : "icon"}
      viewBox="0 0 24 24"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
