import { effect } from "@preact/signals";
import { text } from "./messages.ts";
import { route } from "./route.ts";

/** Names the present view in the document's title. */
export function keepTitle(): void {
  effect(() => {
    document.title = `${text[route.value.view]()} · ${text.name()}`;
  });
}
