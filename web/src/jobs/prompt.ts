const EXCERPT = 120;

/** The beginning of a prompt, for places with little room. */
export function excerpt(prompt: string): string {
  const line = prompt.replace(/\s+/g, " ").trim();
  if (line.length <= EXCERPT) return line;
  const cut = line.slice(0, EXCERPT);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(" "), EXCERPT / 2)).trimEnd()}…`;
}
