import { userComment, xmpGeneration } from "./exif.ts";
import { type FileTexts, latin1 } from "./text-chunks.ts";

const EXIF_HEADER = "Exif\0\0";
const XMP_HEADER = "http://ns.adobe.com/xap/1.0/\0";
const START_OF_SCAN = 0xda;
const APP1 = 0xe1;

/** The texts of a JPEG file: EXIF's `UserComment`, and this kit's property in XMP. */
export function jpegTexts(file: Uint8Array): FileTexts {
  let texts: FileTexts = {};
  for (const segment of app1Segments(file)) {
    if (startsWith(segment, EXIF_HEADER)) {
      texts = { parameters: userComment(segment.subarray(EXIF_HEADER.length)), ...defined(texts) };
    } else if (startsWith(segment, XMP_HEADER)) {
      texts = { generation: xmpGeneration(segment.subarray(XMP_HEADER.length)), ...defined(texts) };
    }
  }
  return texts;
}

/** The texts of a WebP file: EXIF's `UserComment`, and this kit's property in XMP. */
export function webpTexts(file: Uint8Array): FileTexts {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  let texts: FileTexts = {};
  for (let at = 12; at + 8 <= file.length; ) {
    const type = latin1(file.subarray(at, at + 4));
    const size = view.getUint32(at + 4, true);
    const data = file.subarray(at + 8, at + 8 + size);
    if (type === "EXIF") {
      const start = startsWith(data, EXIF_HEADER) ? EXIF_HEADER.length : 0;
      texts = { ...texts, parameters: userComment(data.subarray(start)) };
    } else if (type === "XMP ") {
      texts = { ...texts, generation: xmpGeneration(data) };
    }
    at += 8 + size + (size % 2);
  }
  return texts;
}

function* app1Segments(file: Uint8Array): Generator<Uint8Array> {
  let at = 2;
  while (at + 4 <= file.length && file[at] === 0xff && file[at + 1] !== START_OF_SCAN) {
    const size = ((file[at + 2] ?? 0) << 8) | (file[at + 3] ?? 0);
    if (size < 2) return;
    if (file[at + 1] === APP1) yield file.subarray(at + 4, at + 2 + size);
    at += 2 + size;
  }
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return latin1(bytes.subarray(0, text.length)) === text;
}

function defined(texts: FileTexts): FileTexts {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined));
}
