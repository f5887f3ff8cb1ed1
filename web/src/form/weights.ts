/** Weights of parts of a prompt in AUTOMATIC1111's syntax: `(words:1.2)`, `<lora:name:0.8>`. */

/** A text with a selection. */
export interface Selection {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

const STEP = 0.1;
const NETWORK_STEP = 0.05;
const NETWORK = /<(\w+):([^<>:]+):(-?\d*\.?\d+)>/g;
const WEIGHT_AFTER = /^:(-?\d*\.?\d+)\)/;
const DELIMITERS = /[\s.,\\/!?%^*;:{}=`~()<>[\]，。、；：！？（）]/;

/**
 * Raises (1) or lowers (-1) the weight of the selected words, or of the word, the parentheses or the LoRA at the
 * cursor. Words with weight 1 have no parentheses.
 */
export function editWeight(selection: Selection, direction: 1 | -1): Selection {
  return editNetwork(selection, direction) ?? editWords(selection, direction);
}

function editNetwork({ text, start, end }: Selection, direction: 1 | -1): Selection | undefined {
  for (const match of text.matchAll(NETWORK)) {
    const [found, kind, name, weight] = match;
    const last = match.index + found.length;
    if (start < match.index || end > last) continue;
    const changed = `<${kind}:${name}:${stepped(Number(weight), NETWORK_STEP * direction)}>`;
    const cursor = Math.min(start, match.index + changed.length);
    return { text: text.slice(0, match.index) + changed + text.slice(last), start: cursor, end: cursor };
  }
  return undefined;
}

function editWords(selection: Selection, direction: 1 | -1): Selection {
  const { text } = selection;
  const { start, end } = trimmed(text, target(selection));
  if (start === end) return selection;
  const words = text.slice(start, end);
  const present = text[start - 1] === "(" ? WEIGHT_AFTER.exec(text.slice(end)) : null;
  const before = text.slice(0, present === null ? start : start - 1);
  const after = text.slice(present === null ? end : end + present[0].length);
  const weight = stepped(Number(present?.[1] ?? 1), STEP * direction);
  const [open, close] = weight === 1 ? ["", ""] : ["(", `:${weight})`];
  const first = before.length + open.length;
  return { text: before + open + words + close + after, start: first, end: first + words.length };
}

/** What is to be changed: the selection, else the weighted words around the cursor, else its word. */
function target({ text, start, end }: Selection): Span {
  if (start !== end) return { start, end };
  return weighted(text, start) ?? word(text, start);
}

/** The words of the innermost `(words:weight)` around the cursor. */
function weighted(text: string, cursor: number): Span | undefined {
  const open = unmatched(text, cursor - 1, -1, "(", ")");
  const close = unmatched(text, cursor, 1, ")", "(");
  if (open === undefined || close === undefined) return undefined;
  const colon = text.lastIndexOf(":", close);
  return colon > open && WEIGHT_AFTER.test(text.slice(colon)) ? { start: open + 1, end: colon } : undefined;
}

/** The next bracket from a position on that is not closed or opened on the way. */
function unmatched(
  text: string,
  from: number,
  direction: 1 | -1,
  wanted: string,
  other: string,
): number | undefined {
  let depth = 0;
  for (let index = from; index >= 0 && index < text.length; index += direction) {
    if (text[index - 1] === "\\") continue;
    if (text[index] === other) depth += 1;
    if (text[index] === wanted) {
      if (depth === 0) return index;
      depth -= 1;
    }
  }
  return undefined;
}

function word(text: string, cursor: number): Span {
  const isInside = (index: number) =>
    index >= 0 && index < text.length && !DELIMITERS.test(text[index] ?? "");
  let start = cursor;
  let end = cursor;
  while (isInside(start - 1)) start -= 1;
  while (isInside(end)) end += 1;
  return { start, end };
}

function trimmed(text: string, { start, end }: Span): Span {
  const selected = text.slice(start, end);
  const lead = selected.length - selected.trimStart().length;
  const length = selected.trim().length;
  return { start: start + lead, end: start + lead + length };
}

/** A weight after a step, without the errors of binary fractions. */
function stepped(weight: number, step: number): number {
  return Math.round((weight + step) * 1000) / 1000;
}
