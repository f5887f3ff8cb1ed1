/** The page's language: the visitor's choice, else the browser's. */
import { effect, signal } from "@preact/signals";

export type Language = "en" | "zh";

const KEY = "language";

export const language = signal<Language>(initial());

/** Sets the document's language and keeps the choice. */
export function keepLanguage(): void {
  effect(() => {
    document.documentElement.lang = language.value === "zh" ? "zh-Hans" : "en";
    localStorage.setItem(KEY, language.value);
  });
}

function initial(): Language {
  if (typeof localStorage === "undefined") return "en";
  const chosen = localStorage.getItem(KEY) ?? navigator.language;
  return chosen.startsWith("zh") ? "zh" : "en";
}
