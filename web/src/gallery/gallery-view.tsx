import { JobCards } from "../jobs/job-cards.tsx";
import { FilterBar } from "./filter-bar.tsx";
import { filters } from "./filters.ts";
import { Gallery } from "./gallery.tsx";
import { filteredJobs } from "./lists.ts";

/** All images, with filters. */
export function GalleryView() {
  const isFiltered = Object.keys(filters.value).length > 0;
  return (
    <section class="feed">
      <FilterBar />
      {!isFiltered && <JobCards />}
      <Gallery key={JSON.stringify(filters.value)} list={filteredJobs.value} />
    </section>
  );
}
