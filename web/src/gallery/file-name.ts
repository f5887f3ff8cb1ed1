/** Names of downloaded files. */
import type { Job, JobImage } from "../api/types.ts";

const MAX_WORDS = 60;
/** What file systems and shells do not take in names. */
const UNSAFE = /[^\p{L}\p{N}]+/gu;

/** A name that says what is in the file: the beginning of the prompt, and the seed. */
export function fileName(job: Job, image: JobImage): string {
  const words = job.request.prompt.normalize("NFC").replace(UNSAFE, "-").replace(/^-|-$/g, "");
  const start = [...words].slice(0, MAX_WORDS).join("").replace(/-$/, "");
  const suffix = /\.(\w{1,5})$/.exec(image.s3_uri ?? "")?.[1] ?? job.request.output_format ?? "png";
  return `${start === "" ? job.id : start}-${image.seed}.${suffix}`;
}
