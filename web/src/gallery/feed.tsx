import { JobCards } from "../jobs/job-cards.tsx";
import { Gallery } from "./gallery.tsx";
import { allJobs } from "./lists.ts";

export { addToFeed } from "./lists.ts";

/** The running jobs and all images, newest first. */
export function Feed() {
  return (
    <section class="feed">
      <JobCards />
      <Gallery list={allJobs} />
    </section>
  );
}
