/** Light or dark: the visitor's choice, else the system's. */
import { effect, signal } from "@preact/signals";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "theme";

export const theme = signal<Theme>(initial());

/** Applies the choice to the document, and keeps it. */
export function keepTheme(): void {
  effect(() => {
    document.documentElement.setAttribute("data-theme", theme.value);
    localStorage.setItem(KEY, theme.value);
  });
}

function initial(): Theme {
  const chosen = typeof localStorage === "undefined" ? null : localStorage.getItem(KEY);
  return THEMES.find((each) => each === chosen) ?? "auto";
}
