import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call } from "../api/client.ts";
import { openImage } from "../app/route.ts";
import { jobSignal, putJob } from "../state/jobs.ts";
import { notify } from "../state/notices.ts";
import { errorText } from "../ui/error-text.ts";

/** The ids of the listed jobs, newest first. */
export const listed = signal<readonly string[]>([]);

/** Puts a new job at the beginning of the list. */
export function addToFeed(id: string): void {
  listed.value = [id, ...listed.value.filter((each) => each !== id)];
}

async function load(): Promise<void> {
  try {
    const { data: page } = await call("listJobs", { query: { limit: 50 } });
    for (const job of page.data) putJob(job);
    listed.value = page.data.map(({ id }) => id);
  } catch (error) {
    notify("error", errorText(error));
  }
}

/** The jobs, newest first. */
export function Feed() {
  useEffect(() => void load(), []);
  return (
    <section class="feed">
      {listed.value.map((id) => (
        <JobTiles key={id} id={id} />
      ))}
    </section>
  );
}

function JobTiles({ id }: { readonly id: string }) {
  const job = jobSignal(id).value;
  if (job === undefined) return null;
  if (job.images.length === 0) {
    return (
      <p>
        {job.status} {job.phase} {job.progress?.step}/{job.progress?.total_steps}
      </p>
    );
  }
  return (
    <>
      {job.images.map(
        (image, index) =>
          image.url != null && (
            <button key={image.seed} type="button" class="tile" onClick={() => openImage(id, index)}>
              <img src={image.url} alt={job.request.prompt} width={image.width} height={image.height} />
            </button>
          ),
      )}
    </>
  );
}
