import { useEffect, useState } from "preact/hooks";
import type { Job } from "../api/types.ts";
import { text } from "./messages.ts";

/** The live preview of a job. The next one appears once it is decoded, so that nothing flickers. */
export function PreviewImage({ job }: { readonly job: Job }) {
  const [shown, setShown] = useState<string>();
  const url = job.preview?.url ?? undefined;
  const step = job.preview?.step;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another link to the same preview is no reason to load it
  useEffect(() => {
    if (url === undefined) return;
    const next = new Image();
    let isNewest = true;
    next.src = url;
    next.decode().then(
      () => isNewest && setShown(url),
      // A preview that has expired or gone is replaced by the next one; the one before stays.
      () => undefined,
    );
    return () => {
      isNewest = false;
    };
  }, [step, url === undefined]);
  if (shown === undefined) return <span class="preview preview-empty" />;
  return <img class="preview" src={shown} alt={text.preview()} />;
}
