/** Submissions that repeat requests. */
import type { Generation, Submission } from "../api/types.ts";

/** The body that submits a request again. */
export function submissionOfRequest({ id: _, ...request }: Generation): Submission {
  return { ...request, preview: true };
}

/** The body that makes one image of a request again. */
export function submissionOfImage(request: Generation, seed: number): Submission {
  return { ...submissionOfRequest(request), seed, count: 1 };
}
