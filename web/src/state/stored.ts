/** Texts in localStorage. A browser without it, or without room in it, works until the page is closed. */

/** The text under a key; null if there is none. */
export function readText(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** The value under a key, parsed; undefined if there is none, or no JSON. */
export function readStored(key: string): unknown {
  const text = readText(key);
  if (text === null) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Keeps a text under a key, if the browser has room for it. */
export function storeText(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    // What was kept before stays; nothing on the page depends on the new text before it is opened again.
  }
}
