/*
 * What this browser keeps for this origin: the keys, their counters, and the names that the member gives. It lies in
 * IndexedDB, where several tabs reach it: a counter is read and raised in one transaction, and is on the disk before the
 * number is used.
 */

import { isEqual } from "./bytes.js";
import { MOST_EARLIER_KEYS } from "./limits.js";

const FILE = "kith";
const SELF = "self";
const NAMES = "names";

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
    request.addEventListener("blocked", () => reject(new Error("another tab holds it")));
  });

const finished = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.addEventListener("complete", resolve);
    transaction.addEventListener("abort", () => reject(transaction.error));
  });

/** What is kept of keys, in the transaction of this table. */
async function kept(self) {
  const [key, earlier, before] = await Promise.all(["key", "earlier", "before"].map((name) => settled(self.get(name))));
  // An older page kept just one.
  return { key, earlier: earlier ?? [before].filter(Boolean) };
}

/** Keeps these as the earlier ones, and nothing else. */
function keep(self, earlier) {
  self.put(earlier, "earlier");
  self.delete("before");
}

export class Store {
  #database;

  static async open() {
    const store = new Store();
    const request = indexedDB.open(FILE, 1);
    request.addEventListener("upgradeneeded", () => {
      request.result.createObjectStore(SELF);
      request.result.createObjectStore(NAMES);
    });
    store.#database = await settled(request);
    return store;
  }

  /** The key in use, if there is one, and those before it, the last one first: all PKCS#8. */
  keys() {
    return kept(this.#database.transaction(SELF).objectStore(SELF));
  }

  /**
   * Uses another key from now on, and keeps all those before it. Says whether there was room for that: no key is ever
   * pushed out by another one, because whoever loses the last copy of a key is that person no more.
   */
  async use(key) {
    const transaction = this.#write(SELF);
    const self = transaction.objectStore(SELF);
    const before = await kept(self);
    const earlier = [before.key, ...before.earlier].filter((other) => other && !isEqual(other, key));
    const hasRoom = earlier.length <= MOST_EARLIER_KEYS;
    if (hasRoom) {
      self.put(key, "key");
      keep(self, earlier);
    }
    await finished(transaction);
    return hasRoom;
  }

  /** Forgets an earlier key for good. */
  async forget(key) {
    const transaction = this.#write(SELF);
    const self = transaction.objectStore(SELF);
    const { earlier } = await kept(self);
    keep(self, earlier.filter((other) => !isEqual(other, key)));
    await finished(transaction);
  }

  /**
   * A number that was never given before for this key. It goes with the clock, because the same key may have been used
   * elsewhere, and others remember its last number.
   */
  async nextCounter(id) {
    const transaction = this.#write(SELF);
    const self = transaction.objectStore(SELF);
    const last = (await settled(self.get(`counter:${id}`))) ?? 0;
    const next = Math.max(last + 1, Math.floor(Date.now() / 1000));
    self.put(next, `counter:${id}`);
    await finished(transaction);
    return next;
  }

  /** All names that were given: pairs of an id and a name. */
  async names() {
    const names = this.#database.transaction(NAMES).objectStore(NAMES);
    const [ids, given] = await Promise.all([settled(names.getAllKeys()), settled(names.getAll())]);
    return ids.map((id, at) => [id, given[at]]);
  }

  /** Remembers a name, or forgets it if it is empty. */
  async name(id, name) {
    const transaction = this.#write(NAMES);
    const names = transaction.objectStore(NAMES);
    if (name) names.put(name, id);
    else names.delete(id);
    await finished(transaction);
  }

  #write(table) {
    return this.#database.transaction(table, "readwrite", { durability: "strict" });
  }
}
