/** The parameters in image files made by this kit or by AUTOMATIC1111. */
import { adapterNames, models, samplers } from "../state/catalog.ts";
import { HEAD_BYTES, mediaTypeOf } from "./media-type.ts";
import type { Catalog, FoundParameters } from "./metadata/found-parameters.ts";
import { requestOfGeneration } from "./metadata/generation-request.ts";
import { requestOfInfotext } from "./metadata/infotext-request.ts";
import { jpegTexts, webpTexts } from "./metadata/jpeg-webp.ts";
import { pngTexts } from "./metadata/png.ts";
import type { FileTexts } from "./metadata/text-chunks.ts";

/** Larger files are read up to here; most programs write parameters in front of the pixels. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Reads the parameters of a PNG, JPEG or WebP file; undefined if it has none. */
export async function parametersOf(file: Blob): Promise<FoundParameters | undefined> {
  const bytes = new Uint8Array(await file.slice(0, MAX_BYTES).arrayBuffer());
  return parametersIn(await textsOf(bytes), {
    models: models.value.map(({ name }) => name),
    samplers: samplers.value,
    adapters: knownAdapters(),
  });
}

/** The adapters that parameters may name; undefined while none are known. */
function knownAdapters(): Catalog["adapters"] {
  const kinds = ["vae", "upscaler", "lora", "embedding", "controlnet"] as const;
  const names = new Map(kinds.map((kind) => [kind, adapterNames(kind)]));
  return [...names.values()].some(({ length }) => length > 0) ? names : undefined;
}

/** The parameters in the texts of a file: this kit's own if there are any. */
export function parametersIn(
  { generation, parameters }: FileTexts,
  catalog: Catalog,
): FoundParameters | undefined {
  const own = generation === undefined ? undefined : requestOfGeneration(generation, catalog);
  return own ?? (parameters === undefined ? undefined : requestOfInfotext(parameters, catalog));
}

/** The texts of an image file; none of other files. */
export async function textsOf(bytes: Uint8Array): Promise<FileTexts> {
  switch (mediaTypeOf(bytes.subarray(0, HEAD_BYTES))) {
    case "image/png":
      return pngTexts(bytes);
    case "image/jpeg":
      return jpegTexts(bytes);
    case "image/webp":
      return webpTexts(bytes);
    default:
      return {};
  }
}
