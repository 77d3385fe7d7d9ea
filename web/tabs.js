/*
 * One tab talks: two with the same key would count against each other, and show everything twice. Whoever has the lock
 * is the one; another tab may take it, and gets it when the first is closed.
 */

const LOCK = "kith";

export class Turn {
  #begin;
  #end;
  #waits = null;

  /** `begin()` is called when it is this tab's turn, `end()` when another one has it. */
  constructor(begin, end) {
    this.#begin = begin;
    this.#end = end;
  }

  /** Asks for the turn; says at once if another tab has it. */
  async ask() {
    await navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? this.#hold() : null)).catch(() => {});
    // Either another tab has it, or has just taken it: this one waits until it is free.
    this.#end();
    this.#waits = new AbortController();
    const { signal } = this.#waits;
    navigator.locks.request(LOCK, { signal }, () => this.#hold()).then(() => this.ask(), () => this.#lost(signal));
  }

  /** Takes the turn from whichever tab has it. */
  take() {
    this.#waits?.abort();
    navigator.locks.request(LOCK, { steal: true }, () => this.#hold()).catch(() => this.ask());
  }

  /** A wait that was given up by ourselves is none that was lost. */
  #lost(signal) {
    if (!signal.aborted) this.ask();
  }

  #hold() {
    this.#begin();
    // Until the tab is closed, or another one takes it.
    return new Promise(() => {});
  }
}
