/*
 * Who is present, who was, and with which key. The list of a server is a claim about who is there, never about who
 * somebody is: a member is her key. Who left is remembered for a while, because her last letters may still be under way.
 */

import { digestOf, odderDigests, readKey } from "./keys.js";
import { MOST_CLAIMS, MOST_GONE, MOST_PRESENT } from "./limits.js";
import { BoundedMap } from "./bounded.js";

export class Directory {
  /** Everybody we know by id: the key, the homes (none for somebody who left), and how she signs. */
  members = new Map();
  /** Whose key a text is: reading is the most expensive part of a list. */
  #texts = new Map();
  #gone = new Set();
  #digests = new Map();
  #strangers = new BoundedMap(MOST_CLAIMS);

  /** Takes in a whole list; says who came and who left. */
  async update(entries) {
    const present = new Map();
    let read = 0;
    for (const [home, text] of entries) {
      if ((read += 1) > MOST_PRESENT) break;
      const id = this.#texts.get(text) ?? (await this.#learn(text));
      if (!id) continue;
      const homes = present.get(id) ?? [];
      if (!homes.includes(home)) homes.push(home);
      present.set(id, homes);
    }
    const joined = [];
    const left = [];
    for (const [id, known] of this.members) {
      const homes = present.get(id) ?? [];
      if (homes.length > 0 && known.homes.length === 0) joined.push(id);
      if (homes.length === 0 && known.homes.length > 0) {
        left.push(id);
        // Whoever comes again counts from the beginning.
        known.counter = null;
      }
      known.homes = homes;
    }
    this.#forget(joined, left);
    return { joined, left };
  }

  async #learn(text) {
    const key = await readKey(text);
    if (!key) return null;
    this.#texts.set(text, key.id);
    if (!this.members.has(key.id)) this.members.set(key.id, { key, homes: [], counter: null });
    return key.id;
  }

  #forget(joined, left) {
    joined.forEach((id) => this.#gone.delete(id));
    left.forEach((id) => this.#gone.add(id));
    for (const id of this.#gone) {
      if (this.#gone.size <= MOST_GONE) break;
      this.#gone.delete(id);
      this.members.delete(id);
    }
    for (const [text, id] of this.#texts) if (!this.members.has(id)) this.#texts.delete(text);
    for (const [digest, id] of this.#digests) if (!this.members.has(id)) this.#digests.delete(digest);
    this.#strangers.clear();
  }

  /** Counters begin again with every connection of ours. */
  forgetCounters() {
    for (const known of this.members.values()) known.counter = null;
  }

  get(id) {
    return this.members.get(id);
  }

  isPresent(id) {
    return (this.members.get(id)?.homes.length ?? 0) > 0;
  }

  /** Whose fingerprint this is, in whatever form; null if it is nobody's. */
  async recognise(claim) {
    const digest = digestOf(claim);
    if (!digest) return null;
    if (this.members.has(digest)) return digest;
    if (!this.#digests.has(digest) && !this.#strangers.has(digest)) {
      for (const [id, known] of this.members) {
        if (known.isIndexed) continue;
        known.isIndexed = true;
        for (const odd of await odderDigests(known.key)) this.#digests.set(odd, id);
      }
      this.#strangers.set(digest, true);
    }
    return this.#digests.get(digest) ?? null;
  }
}
