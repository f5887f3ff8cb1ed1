import assert from "node:assert/strict";
import { test } from "node:test";
import { mediaTypeOf } from "./media-type.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

test("files are recognized by their first bytes", () => {
  const files = {
    "\x89PNG\r\n\x1a\n\0\0\0\rIHDR": "image/png",
    "\xff\xd8\xff\xe0\0\x10JFIF": "image/jpeg",
    "RIFF\x24\0\0\0WEBPVP8 ": "image/webp",
    GIF89a: "image/gif",
    "BM\x36": "image/bmp",
    "II*\0\x08": "image/tiff",
    "MM\0*\0\0\0\x08": "image/tiff",
    "\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf": "image/avif",
    "\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf": "image/avif",
    "\0\0\0\x18ftypmif1\0\0\0\0mif1heic": "image/heic",
    "\0\0\0\x18ftypmif1\0\0\0\0mif1abcd": "image/heif",
  };
  for (const [head, type] of Object.entries(files)) assert.equal(mediaTypeOf(bytes(head)), type);
});

test("other files are none", () => {
  for (const head of [
    "",
    "a",
    "hello, this is a text",
    "%PDF-1.7",
    "RIFF\x24\0\0\0WAVE",
    "\0\0\0\x18ftypmp42\0\0\0\0isom",
  ])
    assert.equal(mediaTypeOf(bytes(head)), undefined);
});
