import { FIELDS } from "../../api/fields.ts";
import type { Submission } from "../../api/types.ts";
import { isObject } from "./conforming.ts";
import { type Catalog, type FoundParameters, RequestBuilder } from "./found-parameters.ts";

/** Fields that name files, or that belong to a job and not to its images. */
const LEFT_OUT: readonly (keyof Submission)[] = [
  "input_image",
  "mask_image",
  "controlnets",
  "output_s3_uri",
  "preview",
  "tags",
  "webhook_url",
  "webhook_events",
];

/** The request in this kit's JSON document; undefined if the text is none. */
export function requestOfGeneration(text: string, catalog: Catalog): FoundParameters | undefined {
  const request = requestIn(text);
  if (request === undefined) return undefined;
  const builder = new RequestBuilder();
  for (const name of Object.keys(FIELDS) as (keyof Submission)[]) {
    const value = Object.hasOwn(request, name) ? request[name] : undefined;
    if (value === undefined || value === null || LEFT_OUT.includes(name)) continue;
    if (name === "model" && !catalog.models.includes(String(value))) builder.refuse(name, value);
    else builder.set(name, value);
  }
  const { input_image: image, controlnets } = request;
  return builder.found(typeof image === "string" || (Array.isArray(controlnets) && controlnets.length > 0));
}

function hasPrompt({ prompt }: Readonly<Record<string, unknown>>): boolean {
  return typeof prompt === "string";
}

function requestIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const document: unknown = JSON.parse(text);
    const { request } = isObject(document) ? document : {};
    return isObject(request) && hasPrompt(request) ? request : undefined;
  } catch {
    return undefined;
  }
}
