/** The texts that image files carry beside their pixels. */
export interface FileTexts {
  /** AUTOMATIC1111's parameters. */
  readonly parameters?: string | undefined;
  /** This kit's JSON document. */
  readonly generation?: string | undefined;
}

/** The largest text that is read, in bytes. */
export const MAX_TEXT_BYTES = 512 * 1024;

const LATIN_1 = new TextDecoder("latin1");
const UTF_8 = new TextDecoder();

/** Characters of ISO 8859-1, or Windows' form of it. */
export function latin1(bytes: Uint8Array): string {
  return LATIN_1.decode(bytes);
}

/** Characters of UTF-8; invalid bytes become U+FFFD. */
export function utf8(bytes: Uint8Array): string {
  return UTF_8.decode(bytes);
}

/** The bytes up to a NUL, and those behind it. */
export function splitAtNul(bytes: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const end = bytes.indexOf(0);
  return end < 0 ? [bytes, bytes.subarray(bytes.length)] : [bytes.subarray(0, end), bytes.subarray(end + 1)];
}
