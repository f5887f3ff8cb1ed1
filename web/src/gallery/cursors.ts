/** The places at which a list can be read on. */

/** A cursor of the API, and the last id before it. */
export interface Place {
  readonly after: string;
  readonly cursor: string;
}

/** The places with another one, in the order of the list. */
export function withPlace(places: readonly Place[], place: Place): readonly Place[] {
  if (places.some(({ after }) => after === place.after)) return places;
  return [...places, place].sort((one, other) => (one.after < other.after ? 1 : -1));
}

/** The last place before a job; undefined if that is the beginning of the list. */
export function placeBefore(places: readonly Place[], id: string): Place | undefined {
  return places.findLast(({ after }) => after > id);
}
