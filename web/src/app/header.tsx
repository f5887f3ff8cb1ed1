import { type Language, language } from "../i18n/language.ts";
import { config, isSignedIn, signOut } from "../state/session.ts";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icons.tsx";
import { text } from "./messages.ts";
import { fragment, route, type View } from "./route.ts";

const VIEWS: readonly View[] = ["create", "compare", "gallery"];
const LANGUAGES: readonly (readonly [Language, string])[] = [
  ["en", "English"],
  ["zh", "中文"],
];

/** The page's header: views, language and session. */
export function Header() {
  return (
    <header class="header">
      <h1 class="header-name">
        <Icon name="create" filled />
        {text.name()}
      </h1>
      <nav aria-label={text.views()}>
        {VIEWS.map((view) => (
          <a
            key={view}
            href={fragment({ view })}
            aria-current={route.value.view === view ? "page" : undefined}
          >
            <Icon name={view} />
            {text[view]()}
          </a>
        ))}
      </nav>
      <div class="header-end">
        <select
          aria-label={text.language()}
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
        <a href="/v1/docs">{text.reference()}</a>
        {isSignedIn.value && !hasGivenKey() && <Button onClick={signOut}>{text.signOut()}</Button>}
      </div>
    </header>
  );
}

function hasGivenKey(): boolean {
  const auth = config.value?.auth;
  return auth?.type === "api_key" && auth.key !== undefined;
}
