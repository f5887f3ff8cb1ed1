/** Light or dark: the visitor's choice, else the system's. */
import { effect, signal } from "@preact/signals";
import { readText, storeText } from "./stored.ts";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "theme";

export const theme = signal<Theme>(initial());

/** Applies the choice to the document, and keeps it. */
export function keepTheme(): void {
  effect(() => {
    document.documentElement.setAttribute("data-theme", theme.value);
    storeText(KEY, theme.value);
  });
}

function initial(): Theme {
  const chosen = readText(KEY);
  return THEMES.find((each) => each === chosen) ?? "auto";
}
