/*
 * The texts that may have been signed: JSON as other people's programs print it. The protocol before v1.2 signs "the
 * serialised data" without saying which serialisation; in the world it is JavaScript's or Python's, in the order of
 * insertion or sorted. The server knows the same forms (docs/olaf-accents.md).
 */

import { utf8 } from "./bytes.js";

export const compact = (value) => JSON.stringify(value);

/** The same value with the keys of every object in order. */
export function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

const escaped = (text) =>
  JSON.stringify(text).replace(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

function print(value, between, behindKey) {
  if (typeof value === "string") return escaped(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = (part) => print(part, between, behindKey);
  if (Array.isArray(value)) return `[${value.map(inner).join(between)}]`;
  return `{${Object.entries(value).map(([key, part]) => escaped(key) + behindKey + inner(part)).join(between)}}`;
}

/** Compact with ASCII escapes. */
export const ascii = (value) => print(value, ",", ":");

/** As Python prints by default. */
export const python = (value) => print(value, ", ", ": ");

const FORMS = {
  raw: (_, counter, raw) => raw + counter,
  compact: (value, counter) => compact(value) + counter,
  python: (value, counter) => python(value) + counter,
  compactSorted: (value, counter) => compact(sorted(value)) + counter,
  pythonSorted: (value, counter) => python(sorted(value)) + counter,
  wrapped: (value, counter) => `{"counter":${counter},"data":${ascii(sorted(value))}}`,
  ascii: (value, counter) => ascii(value) + counter,
  asciiSorted: (value, counter) => ascii(sorted(value)) + counter,
  wrappedRaw: (value, counter) => `{"counter":${counter},"data":${compact(sorted(value))}}`,
};

/**
 * The texts that may have been signed, the likeliest first, without repetitions: pairs of a form's name and bytes.
 * `raw` is the text of data where it was a string; of an object, browsers do not tell how it was written.
 */
export function candidates({ value, raw, counter }, likely) {
  const names = Object.keys(FORMS).filter((name) => name !== "raw" || raw !== null);
  names.sort((one, other) => (other === likely) - (one === likely));
  const found = new Map();
  for (const name of names) {
    const text = FORMS[name](value, counter, raw);
    if (!found.has(text)) found.set(text, name);
  }
  return Array.from(found, ([text, name]) => [name, utf8(text)]);
}
