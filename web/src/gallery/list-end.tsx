import { Button } from "../ui/button.tsx";
import { errorText } from "../ui/error-text.ts";
import type { JobList } from "./job-list.ts";
import { text } from "./messages.ts";

/** What comes after the last tile: loading, an error, or that there is nothing. */
export function ListEnd({ list }: { readonly list: JobList }) {
  const isEmpty = list.tiles.value.count === 0;
  switch (list.state.value) {
    case "loading":
      return isEmpty ? <p class="list-end">{text.loading()}</p> : null;
    case "failed":
      return (
        <div class="list-end">
          <p>{errorText(list.error.value)}</p>
          <Button onClick={() => void list.refresh()}>{text.retry()}</Button>
        </div>
      );
    case "paused":
      return (
        <div class="list-end">
          <p>{text.paused()}</p>
          <Button onClick={() => void list.more()}>{text.searchFurther()}</Button>
        </div>
      );
    case "complete":
      if (list.entries.value.length > 0) return null;
      return <p class="list-end">{Object.keys(list.filters).length > 0 ? text.noMatch() : text.none()}</p>;
    case "ready":
      return null;
  }
}
