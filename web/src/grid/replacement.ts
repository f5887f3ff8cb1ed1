/** Search and replace in a prompt, for several texts at once. */

export interface Replacement {
  readonly search: string;
  readonly value: string;
}

/** Where a text is in the result. */
export interface Place {
  readonly start: number;
  readonly length: number;
}

/**
 * Replaces the texts in one pass, so that none is looked for in the value of another.
 *
 * Returns the result, and for each replacement the place of its first value; undefined if its text does not occur.
 */
export function replaceTexts(
  source: string,
  replacements: readonly Replacement[],
): { readonly result: string; readonly places: readonly (Place | undefined)[] } {
  const places: (Place | undefined)[] = replacements.map(() => undefined);
  let result = "";
  for (let position = 0; position < source.length; ) {
    const found = replacements.findIndex(({ search }) => source.startsWith(search, position));
    const replacement = replacements[found];
    if (replacement === undefined) {
      result += source.charAt(position);
      position += 1;
    } else {
      places[found] ??= { start: result.length, length: replacement.value.length };
      result += replacement.value;
      position += replacement.search.length;
    }
  }
  return { result, places };
}
