/*
 * Requests with tickets, and their answers: the frames with the key `kith` beside the protocol (docs/rooms.md). Each
 * answer goes to whoever asked; an answer of several frames is handed on frame by frame. Whoever waits when the
 * connection is lost hears null.
 */

import { BoundedMap } from "./bounded.js";
import { MOST_ASKED } from "./limits.js";

export class Asking {
  #waiting = new BoundedMap(MOST_ASKED);
  #last = 0;

  /** The frame of a request; `answered` hears what comes of it. */
  ask(request, keys, answered) {
    this.#last = (this.#last + 1) % 2 ** 32;
    this.#waiting.set(this.#last, answered);
    return JSON.stringify({ kith: request, ticket: this.#last, ...keys });
  }

  /** Hands an answer on. Says whether somebody waited for it. */
  answer(frame) {
    const answered = this.#waiting.get(frame.ticket);
    if (!answered) return false;
    if (frame.unfinished !== true) this.#waiting.delete(frame.ticket);
    answered(frame);
    return true;
  }

  lose() {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const answered of waiting) answered(null);
  }
}

/** Why something was not done, in words for people. */
export function why(code) {
  const words = {
    malformed: "the server did not understand it",
    unsupported: "this server does not know how",
    bad_room: "no room can be called so",
    closed: "an operator has closed this room",
    no_room: "you are not in that room",
    too_long: "it is too long for one line",
    too_many_rooms: "there are as many rooms as there may be",
    full: "the room is full",
    muted: "an operator lets you say nothing there",
    banned: "an operator keeps you out",
    foreign: "that is not your own address",
    unusable: "nobody can be dialled there",
    taken: "somebody else has listed that address",
    too_many: "there are as many entries as there may be",
    too_often: "that was too often; try again in a while",
    not_registered: "it was not listed",
  };
  return Object.hasOwn(words, code) ? words[code] : "the server refused it";
}
