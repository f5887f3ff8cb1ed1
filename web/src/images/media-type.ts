/** Media types of image files, found by their first bytes: names and types that the system gives may be wrong. */
import type { UPLOAD } from "../api/upload.ts";

export type MediaType = (typeof UPLOAD.content_type.enum)[number];

/** How many of a file's first bytes `mediaTypeOf` needs. */
export const HEAD_BYTES = 64;

const SIGNATURES: readonly (readonly [MediaType, string])[] = [
  ["image/png", "\x89PNG\r\n\x1a\n"],
  ["image/jpeg", "\xff\xd8\xff"],
  ["image/gif", "GIF8"],
  ["image/bmp", "BM"],
  ["image/tiff", "II*\0"],
  ["image/tiff", "MM\0*"],
];

const BRANDS: readonly (readonly [MediaType, readonly string[]])[] = [
  ["image/avif", ["avif", "avis"]],
  ["image/heic", ["heic", "heix", "heim", "heis", "hevc", "hevx"]],
  ["image/heif", ["mif1", "msf1", "heif"]],
];

/** The media type of a file that the API accepts; undefined for any other content. */
export function mediaTypeOf(head: Uint8Array): MediaType | undefined {
  const text = String.fromCharCode(...head.subarray(0, HEAD_BYTES));
  if (text.startsWith("RIFF") && text.startsWith("WEBP", 8)) return "image/webp";
  if (text.startsWith("ftyp", 4))
    return typeOfBrands(text, new DataView(head.buffer, head.byteOffset).getUint32(0));
  return SIGNATURES.find(([, signature]) => text.startsWith(signature))?.[0];
}

/** The type of an ISO media file: that of its first known brand. Its `ftyp` box has `size` bytes. */
function typeOfBrands(text: string, size: number): MediaType | undefined {
  const brands = [text.slice(8, 12)];
  for (let at = 16; at + 4 <= Math.min(size, text.length); at += 4) brands.push(text.slice(at, at + 4));
  return BRANDS.find(([, names]) => names.some((name) => brands.includes(name)))?.[0];
}
