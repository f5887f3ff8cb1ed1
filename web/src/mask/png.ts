/** PNG files of masks: black and white, one bit a pixel. */
import { type Bitmap, emptyBitmap } from "./bitmap.ts";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const HEADER_BYTES = 13;
const CRC_POLYNOMIAL = 0xedb88320;

/** A mask as a PNG file: white where the image is regenerated, black where it is kept, nothing in between. */
export async function encodeMask(bitmap: Bitmap): Promise<Blob> {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, bitmap.width);
  view.setUint32(4, bitmap.height);
  header[8] = 1; // bits a pixel; gray, not interlaced
  const pixels = await transformed(packRows(bitmap), new CompressionStream("deflate"));
  const parts = [SIGNATURE, chunk("IHDR", header), chunk("IDAT", pixels), chunk("IEND", new Uint8Array())];
  return new Blob(parts, { type: "image/png" });
}

/** Reads a file of `encodeMask`. Rejects for damaged ones. */
export async function decodeMask(file: Blob): Promise<Bitmap> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const view = new DataView(bytes.buffer);
  const size = { width: view.getUint32(16), height: view.getUint32(20) };
  const start = SIGNATURE.length + 12 + HEADER_BYTES;
  const pixels = bytes.slice(start + 8, start + 8 + view.getUint32(start));
  return unpackRows(await transformed(pixels, new DecompressionStream("deflate")), emptyBitmap(size));
}

/** Rows of eight pixels a byte, each behind a zero: PNG's "no filter". */
function packRows({ width, height, data }: Bitmap): Uint8Array<ArrayBuffer> {
  const stride = Math.ceil(width / 8) + 1;
  const packed = new Uint8Array(stride * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (data[y * width + x] === 1) {
        const at = y * stride + 1 + (x >> 3);
        packed[at] = (packed[at] ?? 0) | (0x80 >> (x & 7));
      }
    }
  }
  return packed;
}

function unpackRows(packed: Uint8Array, bitmap: Bitmap): Bitmap {
  const { width, height, data } = bitmap;
  const stride = Math.ceil(width / 8) + 1;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const byte = packed[y * stride + 1 + (x >> 3)] ?? 0;
      data[y * width + x] = (byte >> (7 - (x & 7))) & 1;
    }
  }
  return bitmap;
}

function chunk(type: string, data: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? CRC_POLYNOMIAL : 0);
  }
  return ~crc >>> 0;
}

async function transformed(
  data: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(new Blob([data]).stream().pipeThrough(stream)).arrayBuffer());
}
