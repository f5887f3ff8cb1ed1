import { type Language, language } from "../i18n/language.ts";
import { config, isSignedIn, signOut } from "../state/session.ts";
import { THEMES, type Theme, theme } from "../state/theme.ts";
import { Button } from "../ui/button.tsx";
import { Field } from "../ui/field.tsx";
import { Icon } from "../ui/icons.tsx";
import { text } from "./messages.ts";
import { areShortcutsShown } from "./shortcuts.ts";

const LANGUAGES: readonly (readonly [Language, string])[] = [
  ["en", "English"],
  ["zh", "简体中文"],
];

/** The page's settings: language, appearance and session. */
export function Menu() {
  return (
    <>
      <button
        type="button"
        class="icon-button"
        popovertarget="menu"
        aria-label={text.menu()}
        title={text.menu()}
      >
        <Icon name="settings" />
      </button>
      <div id="menu" class="menu" popover="auto">
        <Field label={text.language()}>
          {(attributes) => (
            <select
              {...attributes}
              value={language.value}
              onChange={(event) => {
                language.value = event.currentTarget.value as Language;
              }}
            >
              {LANGUAGES.map(([code, name]) => (
                <option key={code} value={code}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={text.theme()}>
          {(attributes) => (
            <select
              {...attributes}
              value={theme.value}
              onChange={(event) => {
                theme.value = event.currentTarget.value as Theme;
              }}
            >
              {THEMES.map((each) => (
                <option key={each} value={each}>
                  {text[each]()}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Button
          onClick={() => {
            areShortcutsShown.value = true;
          }}
        >
          {text.shortcuts()}
        </Button>
        <a class="button" href="/v1/docs">
          {text.reference()}
        </a>
        {isSignedIn.value && !hasGivenKey() && <Button onClick={signOut}>{text.signOut()}</Button>}
      </div>
    </>
  );
}

function hasGivenKey(): boolean {
  const auth = config.value?.auth;
  return auth?.type === "api_key" && auth.key !== undefined;
}
