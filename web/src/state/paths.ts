/** Values inside a document by their paths, such as `loras/0/weight`: JSON pointers without the first slash. */

type Container = Readonly<Record<string, unknown>> | readonly unknown[];

/** The value at a path; undefined if there is none. */
export function valueIn(document: unknown, path: string): unknown {
  let value = document;
  for (const step of path.split("/")) {
    if (!isContainer(value)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[step];
  }
  return value;
}

/** A copy of the document with the value at a path; undefined removes a property or an item. */
export function withValueIn<T extends Container>(document: T, path: string, value: unknown): T {
  const [step = "", ...rest] = path.split("/");
  const inner = (document as Readonly<Record<string, unknown>>)[step];
  const replaced =
    rest.length === 0 ? value : withValueIn(isContainer(inner) ? inner : {}, rest.join("/"), value);
  if (Array.isArray(document)) {
    const index = Number(step);
    const items = replaced === undefined ? document.toSpliced(index, 1) : document.with(index, replaced);
    return items as unknown as T;
  }
  const { [step]: _, ...others } = document as Readonly<Record<string, unknown>>;
  return (replaced === undefined ? others : { ...others, [step]: replaced }) as T;
}

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}
