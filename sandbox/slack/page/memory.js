/**
 * What the reader did to something on screen that no server knows: a page turned in a table, a choice not yet submitted, a
 * pressed button that waits. It stands outside the elements, so that rebuilding them loses nothing.
 *
 * A place is the key of a message or a view. `versions` lets a pane see that a place must be drawn again.
 */

const values = new Map();
const versions = new Map();

/** What was remembered under `name` at this place. */
export const recall = (place, name, otherwise) => values.get(`${place}|${name}`) ?? otherwise;

/** Remember; undefined forgets. */
export function remember(place, name, value) {
  if (value === undefined) values.delete(`${place}|${name}`);
  else values.set(`${place}|${name}`, value);
}

/** Forget everything about a place, e.g. a closed modal. */
export function forget(place) {
  for (const key of [...values.keys()]) if (key.startsWith(`${place}|`)) values.delete(key);
}

/** Say that a place looks different now. */
export const touch = (place) => versions.set(place, versionOf(place) + 1);
export const versionOf = (place) => versions.get(place) ?? 0;
