/** The same work for several jobs. */
import { errorText } from "../ui/error-text.ts";

const AT_ONCE = 4;

export interface Outcome<Item> {
  readonly done: readonly Item[];
  readonly failed: readonly Item[];
  /** A sentence about the first failure; undefined if there was none. */
  readonly reason: string | undefined;
}

/** Works on the items, a few at once; failures do not stop the others. */
export async function forEach<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<Outcome<Item>> {
  const waiting = [...items];
  const done: Item[] = [];
  const failed: Item[] = [];
  let reason: string | undefined;
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      try {
        await work(item);
        done.push(item);
      } catch (error) {
        failed.push(item);
        reason ??= errorText(error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { done, failed, reason };
}
