/** Texts of EXIF and XMP blocks. */
import { latin1, MAX_TEXT_BYTES, utf8 } from "./text-chunks.ts";

const EXIF_IFD = 0x8769;
const USER_COMMENT = 0x9286;
const ENTRY_BYTES = 12;
const MAX_ENTRIES = 1000;
const ENCODING_BYTES = 8;
const GENERATION = /<quickkit:generation>([^<]*)<\/quickkit:generation>/;
const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

/** The `UserComment` of an EXIF block, which begins with its byte order; undefined if there is none. */
export function userComment(exif: Uint8Array): string | undefined {
  const order = latin1(exif.subarray(0, 4));
  if (order !== "II*\0" && order !== "MM\0*") return undefined;
  const isLittle = order === "II*\0";
  const view = new DataView(exif.buffer, exif.byteOffset, exif.length);
  try {
    const ifd = entry(view, view.getUint32(4, isLittle), EXIF_IFD, isLittle);
    const comment = ifd && entry(view, ifd.value, USER_COMMENT, isLittle);
    if (comment === undefined || comment.count > MAX_TEXT_BYTES) return undefined;
    return commentText(exif.subarray(comment.value, comment.value + comment.count), isLittle);
  } catch (error) {
    if (error instanceof RangeError) return undefined; // an offset outside the block
    throw error;
  }
}

interface Entry {
  readonly count: number;
  /** The value, or its offset. */
  readonly value: number;
}

function entry(view: DataView, offset: number, tag: number, isLittle: boolean): Entry | undefined {
  const count = Math.min(view.getUint16(offset, isLittle), MAX_ENTRIES);
  for (let index = 0; index < count; index += 1) {
    const at = offset + 2 + index * ENTRY_BYTES;
    if (view.getUint16(at, isLittle) !== tag) continue;
    return { count: view.getUint32(at + 4, isLittle), value: view.getUint32(at + 8, isLittle) };
  }
  return undefined;
}

/** The text of a comment behind the name of its encoding. */
function commentText(bytes: Uint8Array, isLittle: boolean): string | undefined {
  const encoding = latin1(bytes.subarray(0, ENCODING_BYTES));
  const text = bytes.subarray(ENCODING_BYTES);
  if (encoding === "UNICODE\0") return utf16(text, isLittle);
  if (encoding === "ASCII\0\0\0" || encoding === "\0".repeat(ENCODING_BYTES)) return utf8(text);
  return encoding.startsWith("JIS") ? undefined : utf8(bytes);
}

/** UTF-16, whose byte order writers choose differently: by its mark, its ASCII letters, or that of the block. */
function utf16(bytes: Uint8Array, isLittle: boolean): string {
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decodeUtf16(bytes, false);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decodeUtf16(bytes, true);
  const zeros = [0, 0];
  for (const [index, byte] of bytes.entries()) {
    if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  }
  const [even = 0, odd = 0] = zeros;
  return decodeUtf16(bytes, even === odd ? isLittle : odd > even);
}

function decodeUtf16(bytes: Uint8Array, isLittle: boolean): string {
  return new TextDecoder(isLittle ? "utf-16le" : "utf-16be").decode(bytes);
}

/** This kit's JSON document in an XMP packet; undefined if there is none. */
export function xmpGeneration(packet: Uint8Array): string | undefined {
  if (packet.length > MAX_TEXT_BYTES) return undefined;
  const found = GENERATION.exec(utf8(packet))?.[1];
  return found?.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => ENTITIES[name] ?? "");
}
