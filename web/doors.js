/*
 * The doors of one home, and which of them is tried next. A home may be served by one of several nodes, and another one
 * when that is gone. Whoever was told their doors tries them in turn, each once, before it waits. The door at which the
 * page was opened is never forgotten, and nobody is led from an encrypted way to an open one. `kith chat` has the same
 * rules (src/client/link/doors.rs).
 */

import { MOST_DOORS } from "./limits.js";

/** A door as it is written: `ws://`, `wss://`, `http://` or `https://`. Null for anything else. */
export function readDoor(text) {
  const parts = /^(wss?|https?):\/\/(.+)$/i.exec(typeof text === "string" ? text.trim() : "");
  if (!parts) return null;
  const isSecure = /^(wss|https)$/i.test(parts[1]);
  let url;
  try {
    url = new URL(`${isSecure ? "wss" : "ws"}://${parts[2]}`);
  } catch {
    return null;
  }
  // A password in an address ends up on screens; there is nothing here that needs one. A fragment means nothing.
  if (url.username || url.password || url.hash || !url.host) return null;
  const path = url.pathname === "/" ? "" : url.pathname;
  return {
    socket: `${url.protocol}//${url.host}${path}${url.search}`,
    web: `${isSecure ? "https" : "http"}://${url.host}`,
    isSecure,
  };
}

export class Doors {
  #typed;
  #present;
  /** In the order in which they are tried: `{door, isTried}`. Never empty: the typed one is among them. */
  #known;
  /** Whoever knows better says that the home is served there. */
  #hint = null;
  /** Whether somebody was followed at once in this round. Two servers that send us to each other must not make us run. */
  #hasFollowed = false;

  constructor(typed) {
    this.#typed = typed;
    this.#present = typed;
    this.#known = [{ door: typed, isTried: true }];
  }

  /** The one that is tried, or that we came in by. */
  get present() {
    return this.#present;
  }

  /** Whether there is another one to go to. */
  get areSeveral() {
    return this.#known.length > 1;
  }

  get all() {
    return this.#known.map(({ door }) => door.socket);
  }

  /** Somebody behind the present door says where the home is: `{leader, doors}`. */
  learn(home) {
    const named = Array.isArray(home?.doors) ? home.doors.slice(0, MOST_DOORS) : [];
    const doors = named.map((url) => this.#read(url)).filter(Boolean);
    // Nobody who says nothing makes us forget what we know.
    if (doors.length > 0) {
      const known = [];
      for (const door of [...doors, this.#typed, this.#present]) {
        if (known.some((other) => isSame(other.door, door))) continue;
        const isTried = this.#known.some((other) => isSame(other.door, door) && other.isTried);
        known.push({ door, isTried });
      }
      this.#known = known;
    }
    this.#hint = this.#read(home?.leader);
  }

  /** We were let in: whatever happens next begins a new round. */
  wasGood() {
    this.#hint = null;
    this.#hasFollowed = false;
    for (const known of this.#known) known.isTried = isSame(known.door, this.#present);
  }

  /** The present door is none, whatever the home says of it. */
  forget() {
    const stays = ({ door }) => isSame(door, this.#typed) || !isSame(door, this.#present);
    this.#known = this.#known.filter(stays);
  }

  /**
   * Goes to the next door, which is the one that we were sent to, if we were. Says whether that is worth trying at once;
   * otherwise all have been tried.
   */
  step(moved) {
    const sent = moved && this.#isAllowed(moved) ? moved : null;
    if (sent) {
      this.#add(sent);
      if (!this.#hasFollowed) {
        this.#hasFollowed = true;
        this.#enter(sent);
        return true;
      }
      this.#hint = sent;
    }
    const hint = this.#hint;
    this.#hint = null;
    const untried = this.#known.filter(({ isTried }) => !isTried);
    const next = untried.find(({ door }) => hint && isSame(door, hint)) ?? untried[0];
    if (next) {
      this.#enter(next.door);
      return true;
    }
    this.#hasFollowed = false;
    for (const known of this.#known) known.isTried = false;
    const first = this.#known.find(({ door }) => hint && isSame(door, hint)) ?? this.#known[0];
    this.#enter(first.door);
    return false;
  }

  #enter(door) {
    this.#present = door;
    for (const known of this.#known) if (isSame(known.door, door)) known.isTried = true;
  }

  #add(door) {
    if (this.#known.some((known) => isSame(known.door, door))) return;
    if (this.#known.length > MOST_DOORS) {
      const oldest = this.#known.findLastIndex((known) => !isSame(known.door, this.#typed));
      if (oldest >= 0) this.#known.splice(oldest, 1);
    }
    this.#known.push({ door, isTried: false });
  }

  #read(url) {
    const door = readDoor(url);
    return door && this.#isAllowed(door) ? door : null;
  }

  #isAllowed(door) {
    return door.isSecure || !this.#present.isSecure;
  }
}

const isSame = (one, other) => one.socket === other.socket;
