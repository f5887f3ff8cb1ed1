/** A small store of this browser's IndexedDB, for what localStorage cannot hold. */
const NAME = "images";
let opened: Promise<IDBDatabase> | undefined;

/** The stored value; undefined if there is none. Rejects if this browser cannot store anything. */
export async function load(key: string): Promise<unknown> {
  const database = await open();
  return resultOf(database.transaction(NAME).objectStore(NAME).get(key));
}

/** Stores a value, or removes it if it is undefined. Rejects, for example, if there is no room. */
export async function save(key: string, value: unknown): Promise<void> {
  const database = await open();
  const transaction = database.transaction(NAME, "readwrite");
  const store = transaction.objectStore(NAME);
  if (value === undefined) store.delete(key);
  else store.put(value, key);
  await new Promise<void>((resolve, reject) => {
    transaction.addEventListener("complete", () => resolve());
    transaction.addEventListener("abort", () => reject(transaction.error));
  });
}

function open(): Promise<IDBDatabase> {
  opened ??= resultOf(openRequest()).catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

function openRequest(): IDBOpenDBRequest {
  const request = indexedDB.open(NAME, 1);
  request.addEventListener("upgradeneeded", () => request.result.createObjectStore(NAME));
  return request;
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}
