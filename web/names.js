/*
 * What people are called here. Nobody chooses her own name: a member is her key, and whoever reads her gives her a name,
 * by the rules of `kith chat`. Without one she is called by the beginning of her fingerprint.
 */

import { LONGEST_NAME, MOST_NAMES } from "./limits.js";

/** Letters of a fingerprint that are enough for a person, and never for a decision. */
const SHORT = 12;
const SHORTEST_PREFIX = 4;
const RESERVED = ["all", "everyone", "public", "you"];

export const short = (id) => id.slice(0, SHORT);

export class Names {
  #given;

  /** Pairs of an id and a name. */
  constructor(given) {
    this.#given = new Map(given);
  }

  of(id) {
    return this.#given.get(id) ?? short(id);
  }

  given(id) {
    return this.#given.get(id) ?? "";
  }

  /** Gives somebody a name, or takes it away if it is empty. Says what is wrong with it, or null. */
  give(id, name) {
    const problem = name ? this.#problem(id, name) : null;
    if (problem) return problem;
    if (name) this.#given.set(id, name);
    else this.#given.delete(id);
    return null;
  }

  #problem(id, name) {
    if ([...name].length > LONGEST_NAME || !/^[\p{L}\p{N}._-]+$/u.test(name)) {
      return "A name has 1 to 32 letters, digits, dots, dashes or underscores.";
    }
    const lower = name.toLowerCase();
    if (name.length >= SHORTEST_PREFIX && /^[0-9a-f-]+$/.test(lower)) {
      return "That looks like the beginning of a fingerprint.";
    }
    if (RESERVED.includes(lower)) return "That word has a meaning of its own here.";
    for (const [other, given] of this.#given) {
      if (other !== id && given.toLowerCase() === lower) return "Somebody else has that name already.";
    }
    return this.#given.size >= MOST_NAMES && !this.#given.has(id) ? "There are as many names as there may be." : null;
  }
}
