/** What localStorage has under a key, parsed; undefined if there is nothing, or no JSON. */
export function readStored(key: string): unknown {
  const text = typeof localStorage === "undefined" ? null : localStorage.getItem(key);
  if (text === null) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
