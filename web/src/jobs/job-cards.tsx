import { useState } from "preact/hooks";
import { unfinishedJobs } from "../state/jobs.ts";
import { Button } from "../ui/button.tsx";
import { Announcer } from "./announcer.tsx";
import { EndedCard } from "./ended-card.tsx";
import { JobCard } from "./job-card.tsx";
import { text } from "./messages.ts";
import { troubles } from "./troubles.ts";

/** Waiting jobs that are shown before the visitor asks for all. */
const SHOWN = 8;

/** The unfinished jobs, and those that have ended without images since the page was opened. */
export function JobCards() {
  const [showsAll, setShowsAll] = useState(false);
  const ids = unfinishedJobs.value;
  const shown = showsAll ? ids : ids.slice(0, SHOWN);
  return (
    <>
      <Announcer />
      {(ids.length > 0 || troubles.value.length > 0) && (
        <ul class="job-cards" aria-label={text.jobs()}>
          {troubles.value.map((id) => (
            <EndedCard key={id} id={id} />
          ))}
          {shown.map((id) => (
            <JobCard key={id} id={id} />
          ))}
        </ul>
      )}
      {shown.length < ids.length && (
        <Button onClick={() => setShowsAll(true)}>{text.showMore(ids.length - shown.length)}</Button>
      )}
    </>
  );
}
