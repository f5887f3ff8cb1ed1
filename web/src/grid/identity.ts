/** What a new grid is given by chance. */

const MAX_SEED = 2 ** 32 - 1;
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_CHARACTERS = 10;
const RANDOM_CHARACTERS = 16;

/** An id in the form of a ULID: ids in order of their text are in order of their time. */
export function newGridId(now: number = Date.now()): string {
  let time = "";
  for (let rest = now; time.length < TIME_CHARACTERS; rest = Math.floor(rest / ALPHABET.length)) {
    time = ALPHABET.charAt(rest % ALPHABET.length) + time;
  }
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_CHARACTERS));
  return time + Array.from(random, (each) => ALPHABET.charAt(each % ALPHABET.length)).join("");
}

/** A seed, as the API would choose it. */
export function randomSeed(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % (MAX_SEED + 1);
}
