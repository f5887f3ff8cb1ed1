/** The page's language: the visitor's choice, else the browser's. */
import { effect, signal } from "@preact/signals";
import { readText, storeText } from "../state/stored.ts";

export type Language = "en" | "zh";

const KEY = "language";

export const language = signal<Language>(initial());

/** Sets the document's language and keeps the choice. */
export function keepLanguage(): void {
  effect(() => {
    document.documentElement.lang = language.value === "zh" ? "zh-Hans" : "en";
    storeText(KEY, language.value);
  });
}

function initial(): Language {
  const chosen = readText(KEY) ?? (typeof navigator === "undefined" ? "en" : navigator.language);
  return chosen.startsWith("zh") ? "zh" : "en";
}
