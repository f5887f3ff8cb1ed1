import { text } from "./messages.ts";

/** The share of the work that is done; undefined while it is not known. */
export function ProgressBar({ share }: { readonly share: number | undefined }) {
  return <progress class="progress" aria-label={text.progress()} value={share} max={1} />;
}
