/** Writing to the clipboard. */
import { notify } from "../state/notices.ts";
import { errorText } from "../ui/error-text.ts";
import { text } from "./messages.ts";

/**
 * Copies a text that may still have to be fetched, and says `done`.
 *
 * The browser is asked at once, since it allows that only in answer to a click.
 */
export async function copy(value: Promise<string>, done: (value: string) => string): Promise<void> {
  try {
    const written = writeWhenKnown(value);
    const known = await value;
    await written.catch(() => {
      throw new ClipboardError(text.notCopied());
    });
    notify("info", done(known));
  } catch (error) {
    notify("error", error instanceof ClipboardError ? error.message : errorText(error));
  }
}

class ClipboardError extends Error {}

async function writeWhenKnown(value: Promise<string>): Promise<void> {
  const blob = value.then((known) => new Blob([known], { type: "text/plain" }));
  // A failure to fetch the text is reported where the text is awaited.
  blob.catch(() => undefined);
  await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
}
