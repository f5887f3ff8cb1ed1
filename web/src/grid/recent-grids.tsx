import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Job } from "../api/types.ts";
import { fragment, route } from "../app/route.ts";
import { language } from "../i18n/language.ts";
import { isReachable } from "../state/connection.ts";
import { isSignedIn } from "../state/session.ts";
import { errorText } from "../ui/error-text.ts";
import { loadRecent, recentGrids } from "./grids.ts";
import { axisLabel } from "./labels.ts";
import { text } from "./messages.ts";
import { type GridPlace, parseTags } from "./tags.ts";

/** Links to the grids of the last weeks. */
export function RecentGrids() {
  const error = useSignal<string | undefined>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list is loaded again after new grids, signing in and lost connections
  useEffect(() => {
    if (!isReachable.value) return;
    loadRecent().then(
      () => {
        error.value = undefined;
      },
      (failure: unknown) => {
        error.value = errorText(failure);
      },
    );
  }, [route.value.grid, isSignedIn.value, isReachable.value]);
  return (
    <section class="recent-grids">
      <h2>{text.recent()}</h2>
      {error.value !== undefined && <p class="field-error">{error.value}</p>}
      {recentGrids.value.length === 0 && <p class="field-help">{text.noRecent()}</p>}
      <ul>
        {recentGrids.value.map((job) => {
          const place = parseTags(job.tags);
          return place === undefined ? null : <RecentGrid key={job.id} job={job} place={place} />;
        })}
      </ul>
    </section>
  );
}

function RecentGrid({ job, place: { id, x, y } }: { readonly job: Job; readonly place: GridPlace }) {
  const axes = [x, ...(y === undefined ? [] : [y])].map(
    ({ path, count }) => `${axisLabel(path, job.request.loras)} (${count})`,
  );
  const date = new Intl.DateTimeFormat(language.value === "zh" ? "zh-CN" : "en", {
    dateStyle: "medium",
    timeStyle: "short",
  }).format(new Date(job.created_at));
  return (
    <li>
      <a
        href={fragment({ view: "compare", grid: id })}
        aria-current={route.value.grid === id ? "true" : undefined}
      >
        <span class="recent-prompt">{job.request.prompt}</span>
        <span class="field-help">
          {axes.join(" × ")} · {date}
        </span>
      </a>
    </li>
  );
}
