/*
 * Maps and sets that forget their oldest entry when they are full.
 */

export class BoundedMap extends Map {
  constructor(most) {
    super();
    this.most = most;
  }

  set(key, value) {
    if (!this.has(key) && this.size >= this.most) this.delete(this.keys().next().value);
    return super.set(key, value);
  }
}

/** What was seen before. */
export class Window {
  constructor(most) {
    this.seen = new BoundedMap(most);
  }

  /** Says whether it is new, and remembers it. */
  admit(trace) {
    if (this.seen.has(trace)) return false;
    this.seen.set(trace, true);
    return true;
  }
}

/** Work that is done one piece after the other, in the order in which it came. */
export class Line {
  #last = Promise.resolve();

  run(work) {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}
