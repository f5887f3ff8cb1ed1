import { type FileTexts, latin1, MAX_TEXT_BYTES, splitAtNul, utf8 } from "./text-chunks.ts";

const SIGNATURE_BYTES = 8;
const FRAME_BYTES = 12;

/** The texts of a PNG file: chunks tEXt, zTXt and iTXt named `parameters` and `generation`. */
export async function pngTexts(file: Uint8Array): Promise<FileTexts> {
  const texts: { parameters?: string | undefined; generation?: string | undefined } = {};
  for (const [type, data] of chunks(file)) {
    if (!/^[tzi][TE][Xx][Tt]$/.test(type) || data.length > MAX_TEXT_BYTES) continue;
    const [name, rest] = splitAtNul(data);
    const key = latin1(name);
    if ((key === "parameters" || key === "generation") && texts[key] === undefined) {
      texts[key] = await textOf(type, rest);
    }
  }
  return texts;
}

function* chunks(file: Uint8Array): Generator<readonly [string, Uint8Array]> {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  let at = SIGNATURE_BYTES;
  while (at + FRAME_BYTES <= file.length) {
    const length = view.getUint32(at);
    const data = file.subarray(at + 8, at + 8 + length);
    if (data.length < length) return;
    yield [latin1(file.subarray(at + 4, at + 8)), data];
    at += FRAME_BYTES + length;
  }
}

/** The text behind the keyword of a chunk; undefined if it cannot be read. */
async function textOf(type: string, rest: Uint8Array): Promise<string | undefined> {
  if (type === "tEXt") return latin1(rest);
  if (type === "zTXt") return optional(latin1, await inflated(rest.subarray(1)));
  if (type !== "iTXt") return undefined;
  const isCompressed = rest[0] === 1;
  const [, afterLanguage] = splitAtNul(rest.subarray(2));
  const [, text] = splitAtNul(afterLanguage);
  return optional(utf8, isCompressed ? await inflated(text) : text);
}

function optional(decode: (bytes: Uint8Array) => string, bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : decode(bytes);
}

/** Decompressed zlib data; undefined if it is damaged or larger than a text may be. */
async function inflated(data: Uint8Array): Promise<Uint8Array | undefined> {
  const stream = new Blob([data.slice()]).stream().pipeThrough(new DecompressionStream("deflate"));
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of stream) {
      size += part.length;
      if (size > MAX_TEXT_BYTES) return undefined;
      parts.push(part);
    }
  } catch {
    return undefined;
  }
  return new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}
