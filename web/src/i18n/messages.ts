/** Texts in all languages; a text that lacks a language does not compile. */
import { type Language, language } from "./language.ts";

type Text = string | ((...values: never[]) => string);
type Translations<T extends Text> = Readonly<Record<Language, T>>;
type Messages<T extends Record<string, Translations<Text>>> = {
  readonly [Name in keyof T]: T[Name] extends Translations<infer Each>
    ? Each extends (...values: infer Values) => string
      ? (...values: Values) => string
      : () => string
    : never;
};

/** Functions that return the texts in the language of the page; they take the values that texts contain. */
export function messages<const T extends Record<string, Translations<Text>>>(texts: T): Messages<T> {
  const entries = Object.entries(texts).map(([name, translations]) => [
    name,
    (...values: never[]) => {
      const text = translations[language.value];
      return typeof text === "function" ? text(...values) : text;
    },
  ]);
  return Object.fromEntries(entries) as Messages<T>;
}
