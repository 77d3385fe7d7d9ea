/*
 * The conversations: who said what where, what is unread, and what was begun to be typed. It knows nothing of how that is
 * shown; `changed(what)` is told what to look at again. What strangers can begin or fill is bounded, and forgets the
 * oldest first.
 */

import { LONGEST_TEXT, MOST_CONVERSATIONS, MOST_LINES } from "./limits.js";

const PUBLIC = "public";
/** How far apart the clocks of servers may be for the same words of the same person to be the same line. */
const SAME_MS = 120_000;

export class Chat {
  conversations = new Map();
  open;
  #me;
  #changed;
  #lines = 0;

  constructor(me, changed) {
    this.#me = me;
    this.#changed = changed;
    this.open = this.#at({ kind: "public" });
  }

  get list() {
    return [...this.conversations.values()];
  }

  /** The conversation with these people, with everybody, or in a room; it begins if it is new. */
  at(where) {
    const known = this.conversations.get(keyOf(where));
    if (known) return known;
    const begun = this.#at(where);
    this.#forget(begun);
    this.#changed({ list: true });
    return begun;
  }

  show(conversation) {
    this.open = conversation;
    conversation.unread = 0;
    this.#changed({ list: true, log: true });
  }

  /** Ends a conversation: a room was left, or somebody closed it. */
  end(conversation) {
    if (conversation.kind === "public") return;
    this.conversations.delete(conversation.key);
    if (this.open === conversation) this.show(this.conversations.get(PUBLIC));
    else this.#changed({ list: true });
  }

  /** Something that was said: `{from, label, text, at, id}`, by somebody known or by whoever has that label. */
  hear(conversation, { from, label = null, text, at = Date.now(), id = null, isTopic = false, isOld = false }) {
    const line = this.#line({ kind: isTopic ? "topic" : "said", author: from, label, text, at, id });
    line.isOwn = from === this.#me;
    this.#add(conversation, line, !line.isOwn && !isOld);
    return line;
  }

  /** Something that we say; what becomes of it is told later. */
  say(conversation, text) {
    const line = this.#line({ kind: "said", author: this.#me, text, at: Date.now() });
    line.isOwn = true;
    line.state = "waiting";
    this.#add(conversation, line, false);
    return line;
  }

  /** What became of something that we said. */
  settle(conversation, line, state, words, id) {
    Object.assign(line, { state, words, id: id ?? line.id });
    if (conversation === this.open) this.#changed({ line });
  }

  /** A word of the program. */
  note(conversation, text) {
    this.#add(conversation, this.#line({ kind: "notice", author: null, text, at: Date.now() }), false);
  }

  /** Lines that are older than all others. */
  precede(conversation, lines) {
    const room = Math.max(MOST_LINES - conversation.lines.length, 0);
    const made = lines.slice(Math.max(lines.length - room, 0)).map((line) => {
      const kind = line.isTopic ? "topic" : "said";
      return { ...this.#line({ ...line, kind, author: line.from }), isOwn: line.from === this.#me };
    });
    conversation.lines.unshift(...made);
    if (conversation === this.open) this.#changed({ log: true });
  }

  /** Takes a line away that its operator has withdrawn. */
  withdraw(conversation, id) {
    conversation.lines = conversation.lines.filter((line) => line.id !== id);
    if (conversation === this.open) this.#changed({ log: true });
  }

  /** Forgets a line, because it is said again. */
  drop(conversation, line) {
    conversation.lines = conversation.lines.filter((other) => other !== line);
    if (conversation === this.open) this.#changed({ log: true });
  }

  /** Whether a line of a history was heard already as the letter that it was. */
  hasHeard(conversation, from, text, at) {
    const isSame = (line) => line.author === from && line.text === text && Math.abs(line.at - at) < SAME_MS;
    return conversation.lines.some((line) => line.kind === "said" && isSame(line));
  }

  #at(where) {
    const begun = { ...where, key: keyOf(where), lines: [], unread: 0, draft: "", topic: null, more: false, touched: 0 };
    this.conversations.set(begun.key, begun);
    return begun;
  }

  #line({ kind, author, label = null, text, at, id = null }) {
    this.#lines += 1;
    const isCut = text.length > LONGEST_TEXT;
    const shown = isCut ? `${text.slice(0, LONGEST_TEXT)}… (it is longer than is shown here)` : text;
    return { number: this.#lines, kind, author, label, text: shown, at: at ?? Date.now(), id, isOwn: false, state: "taken", words: null };
  }

  #add(conversation, line, isNews) {
    conversation.lines.push(line);
    if (conversation.lines.length > MOST_LINES) conversation.lines.splice(0, conversation.lines.length - MOST_LINES);
    conversation.touched = line.number;
    if (conversation === this.open) {
      this.#changed({ added: line, isNews });
    } else if (isNews) {
      conversation.unread += 1;
      this.#changed({ list: true, isNews });
    }
  }

  /** Whoever begins a thousand conversations makes the quiet ones go that nobody looks at: private ones, never rooms. */
  #forget(begun) {
    if (this.conversations.size <= MOST_CONVERSATIONS) return;
    const quiet = this.list.filter((one) => one.kind === "private" && one !== this.open && one !== begun);
    quiet.sort((one, other) => one.touched - other.touched);
    if (quiet[0]) this.conversations.delete(quiet[0].key);
  }
}

/** What a conversation is called: `public`, `room:garden`, `private:` and the ids of everybody else in it. */
export function keyOf({ kind, room, people }) {
  if (kind === "room") return `room:${room}`;
  return kind === "private" ? `private:${people.toSorted().join(",")}` : PUBLIC;
}
