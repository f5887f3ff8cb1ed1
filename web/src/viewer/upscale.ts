/** The job that makes an image again, larger. */
import type { Generation, JobImage, ModelLimits, Submission } from "../api/types.ts";
import { submissionOfImage } from "../jobs/submission.ts";

const FACTOR = 2;
const LEAST_FACTOR = 1.1;
const MAX_SCALE = 4;
/** Enough for new detail, too little for another image. */
const HIRES_STRENGTH = 0.35;

export interface Upscaling {
  readonly submission: Submission;
  /** Whether the image is denoised again, for more detail, or only upscaled. */
  readonly kind: "hires" | "plain";
  /** How much wider and higher it becomes. */
  readonly factor: number;
}

/** The job that upscales an image; undefined if the image is as large as the model allows. */
export function upscalingOf(
  request: Generation,
  image: JobImage,
  limits: ModelLimits,
  upscalers: readonly string[],
): Upscaling | undefined {
  const largest = limits.max_output_size / Math.max(image.width, image.height);
  const scale = request.upscale?.scale ?? 1;
  const factor = Math.floor(Math.min(FACTOR, largest, MAX_SCALE / scale) * 100) / 100;
  if (factor < LEAST_FACTOR) return undefined;
  const submission = submissionOfImage(request, image.seed);
  const upscaler = upscalers[0] ?? "lanczos";
  if (!request.input_image && !request.hires && !request.upscale) {
    return {
      submission: { ...submission, hires: { scale: factor, strength: HIRES_STRENGTH, upscaler } },
      kind: "hires",
      factor,
    };
  }
  const upscale = { upscaler, ...request.upscale, scale: scale * factor };
  return { submission: { ...submission, upscale }, kind: "plain", factor };
}
