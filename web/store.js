/*
 * What this browser keeps for this origin: the keys, their counters, and the names that the member gives. It lies in
 * IndexedDB, where several tabs reach it: a counter is read and raised in one transaction, and is on the disk before the
 * number is used.
 */

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

  /** The key in use, and the one before it: PKCS#8, or nothing. */
  async keys() {
    const self = this.#database.transaction(SELF).objectStore(SELF);
    const [key, before] = await Promise.all([settled(self.get("key")), settled(self.get("before"))]);
    return { key, before };
  }

  /** Uses another key from now on, and keeps the one before. */
  async use(key) {
    const transaction = this.#write(SELF);
    const self = transaction.objectStore(SELF);
    const before = await settled(self.get("key"));
    if (before) self.put(before, "before");
    self.put(key, "key");
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
