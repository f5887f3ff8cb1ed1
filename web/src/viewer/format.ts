/** Numbers and times in the page's language. */
import { language } from "../i18n/language.ts";

function locale(): string {
  if (language.value === "zh") return "zh-CN";
  return typeof navigator !== "undefined" && navigator.language.startsWith("en") ? navigator.language : "en";
}

/** A date with its time. */
export function dateText(iso: string): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

/** A time of today. */
export function timeText(iso: string): string {
  return new Intl.DateTimeFormat(locale(), { timeStyle: "short" }).format(new Date(iso));
}

/** Seconds with one decimal below ten. */
export function secondsText(seconds: number): string {
  const maximumFractionDigits = seconds < 10 ? 1 : 0;
  return new Intl.NumberFormat(locale(), { maximumFractionDigits }).format(seconds);
}
