/** The request of a draft: what its images make possible, and the page's own defaults. */
import type { Submission } from "../api/types.ts";
import type { DraftControlNet, Fields } from "../state/draft.ts";

/** Fields whose default on this page is another than the API's. */
export const PAGE_DEFAULTS = { preview: true } as const satisfies Fields;

/** The S3 URIs of the draft's images; undefined for those that there are not. */
export interface ImageUris {
  readonly input: string | undefined;
  readonly mask: string | undefined;
  /** By the index of their ControlNets. */
  readonly controls: readonly (string | undefined)[];
}

const NEED_INPUT = ["strength", "outpaint"] as const;
const NEED_MASK = ["mask_invert", "mask_alpha", "mask_padding"] as const;
const NEED_AREA = ["mask_blur"] as const;
const EXCLUDED_BY_BORDERS = ["width", "height"] as const;

/** Whether the field has an effect with these images; the form hides those that have none. */
export function isApplicable(name: string, input: boolean, mask: boolean, outpaint: boolean): boolean {
  const includes = (names: readonly string[]) => names.includes(name);
  if (includes(NEED_INPUT)) return input;
  if (includes(NEED_MASK)) return input && mask;
  if (includes(NEED_AREA)) return input && (mask || outpaint);
  if (includes(EXCLUDED_BY_BORDERS)) return !(input && outpaint);
  return true;
}

/** Builds the request. What is missing in it is refused by the API in its own words. */
export function requestOf(fields: Fields, images: ImageUris): Submission {
  const { controlnets, ...others } = fields;
  const input = images.input !== undefined;
  const mask = images.mask !== undefined;
  const outpaint = fields.outpaint != null;
  const applicable = Object.entries({ ...PAGE_DEFAULTS, ...others }).filter(([name]) =>
    isApplicable(name, input, mask, outpaint),
  );
  const request: Readonly<Record<string, unknown>> = {
    ...Object.fromEntries(applicable),
    ...(input && { input_image: images.input }),
    ...(input && mask && { mask_image: images.mask }),
    ...(controlnets !== undefined && { controlnets: withImages(controlnets, images.controls) }),
  };
  return request as unknown as Submission;
}

function withImages(controlnets: readonly DraftControlNet[], uris: ImageUris["controls"]): readonly object[] {
  return controlnets.map((each, index) => {
    const image = uris[index];
    return image === undefined ? each : { ...each, image };
  });
}
