/** AUTOMATIC1111's parameters text: the prompt, the negative prompt, and a line `Steps: 20, Sampler: Euler a, ...`. */

/** The parts of a parameters text. */
export interface Infotext {
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly values: ReadonlyMap<string, string>;
}

const MAX_CHARACTERS = 100_000;
const MAX_VALUES = 200;
const NEGATIVE = "Negative prompt:";
const VALUES = /^\s*Steps: *\d/;

/** Reads a parameters text; undefined if it is none. */
export function parseInfotext(text: string): Infotext | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
  const lines = text.replaceAll("\0", "").split(/\r?\n/);
  const last = lines.findLastIndex((line) => VALUES.test(line));
  if (last < 0) return undefined;
  const prompts = lines.slice(0, last);
  const negative = prompts.findIndex((line) => line.startsWith(NEGATIVE));
  const end = negative < 0 ? prompts.length : negative;
  return {
    prompt: prompts.slice(0, end).join("\n").trim(),
    negativePrompt: prompts.slice(end).join("\n").slice(NEGATIVE.length).trim(),
    values: parseValues(lines[last] ?? ""),
  };
}

/** The values of a line `Name: value, Name: "value, with a comma"`; the first of each name counts. */
export function parseValues(line: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  let at = 0;
  while (at < line.length && values.size < MAX_VALUES) {
    const colon = line.indexOf(":", at);
    if (colon < 0) break;
    const name = line.slice(at, colon).trim();
    const [value, end] = valueAt(line, colon + 1);
    if (name !== "" && !values.has(name)) values.set(name, value);
    at = end;
  }
  return values;
}

/** The value that begins at an index, and the index behind its comma. */
function valueAt(line: string, start: number): readonly [string, number] {
  const first = start + (/^ */.exec(line.slice(start, start + 16))?.[0].length ?? 0);
  const quoted = line[first] === '"' ? quotedAt(line, first) : undefined;
  const from = quoted?.[1] ?? first;
  const comma = line.indexOf(",", from);
  const end = comma < 0 ? line.length : comma;
  return [quoted?.[0] ?? line.slice(first, end).trim(), end + 1];
}

/** The JSON string that begins at an index, and the index behind it; undefined if there is none. */
function quotedAt(line: string, start: number): readonly [string, number] | undefined {
  let end = start + 1;
  while (end < line.length && line[end] !== '"') end += line[end] === "\\" ? 2 : 1;
  try {
    const value: unknown = JSON.parse(line.slice(start, end + 1));
    return typeof value === "string" ? [value, end + 1] : undefined;
  } catch {
    return undefined;
  }
}
