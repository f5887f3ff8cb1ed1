import { Icon } from "../ui/icons.tsx";
import { Menu } from "./menu.tsx";
import { text } from "./messages.ts";
import { fragment, route, VIEWS } from "./route.ts";

/** The page's header: its name, the views and the settings. */
export function Header() {
  return (
    <header class="header">
      <p class="header-name">
        <Icon name="create" filled />
        {text.name()}
      </p>
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
        <Menu />
      </div>
    </header>
  );
}
