/*
 * Rooms, whose frames travel beside the protocol (docs/rooms.md). A member can be in several; they are entered again
 * after a reconnect, and what was missed is fetched. What a room hears is the word of the servers, not signed by
 * anybody. No line is shown twice.
 */

import { Window } from "./bounded.js";
import { isObject } from "./letters.js";
import { MOST_GUESTS, MOST_MISSED, MOST_ROOMS, MOST_SEEN_LINES } from "./limits.js";
import { why } from "./asking.js";

const LINE_ID = /^[0-9a-f]{16}-[0-9a-f]{64}$/;
const MEMBER = /^[0-9a-f]{64}$/;

/** What is offered to us, if anything. */
export function offered(rooms) {
  const fits = isObject(rooms) && rooms.version === 1 && rooms.key === "kith" && Array.isArray(rooms.dialects);
  if (!fits || !rooms.dialects.includes("olaf")) return null;
  const lineBytes = Number.isSafeInteger(rooms.line_bytes) ? rooms.line_bytes : 16_384;
  return { lineBytes, isBridged: rooms.bridged === true };
}

/**
 * Whoever said or is something. Only who speaks our protocol can be somebody whom we know; what others are called they
 * chose themselves, so that stands there with the protocol behind it.
 */
export function who(by) {
  if (!isObject(by) || typeof by.member !== "string" || typeof by.name !== "string") return null;
  if (by.dialect === "olaf" && MEMBER.test(by.member)) return { id: by.member, key: by.member, label: null };
  const dialect = typeof by.dialect === "string" ? by.dialect : "?";
  return { id: null, key: `${dialect}:${by.member}`.slice(0, 100), label: `${by.name.slice(0, 200)} (${dialect})` };
}

/** A line as it is shown; null for what is none, or of a kind that is not known. */
export function readLine(line) {
  if (!isObject(line) || !LINE_ID.test(line.id) || !["said", "topic"].includes(line.kind)) return null;
  const at = Number.isSafeInteger(line.at) ? line.at : null;
  const text = typeof line.text === "string" ? line.text : "";
  return { id: line.id, at, by: who(line.by), isTopic: line.kind === "topic", text };
}

/** A room that is not entered yet. */
const newStay = () => ({ you: null, topic: null, guests: new Map(), isIn: false, shown: null, oldest: null, missed: null });

const readLines = (lines) => (Array.isArray(lines) ? lines.map(readLine).filter(Boolean) : []);

export class Rooms {
  #asking;
  #send;
  #emit;
  #stays = new Map();
  #seen = new Window(MOST_SEEN_LINES);

  /** `send(frame)` sends; `emit(event)` tells what happens. */
  constructor(asking, send, emit) {
    this.#asking = asking;
    this.#send = send;
    this.#emit = (kind, room, rest) => emit({ kind, room, ...rest });
  }

  /** The rooms in which the member is, or wants to be. */
  get names() {
    return [...this.#stays.keys()];
  }

  guests(room) {
    return [...(this.#stays.get(room)?.guests.values() ?? [])];
  }

  /** Whether something can be said there: she is in, and has read what she missed. */
  isReady(room) {
    const stay = this.#stays.get(room);
    return stay?.isIn === true && stay.missed === null;
  }

  /** The connection is gone. */
  lose() {
    for (const stay of this.#stays.values()) stay.isIn = false;
  }

  /** The server of a new connection offers rooms: back to all of them. */
  enterAll() {
    this.names.forEach((room) => this.enter(room));
  }

  /** Will be entered with the others. */
  want(room) {
    if (!this.#stays.has(room)) this.#stays.set(room, newStay());
  }

  enter(room) {
    const stay = this.#stays.get(room) ?? newStay();
    this.#stays.set(room, { ...stay, missed: null });
    const guests = new Map();
    this.#send(this.#asking.ask("enter", { room }, (answer) => this.#onEntered(room, guests, answer)));
  }

  leave(room) {
    if (this.#stays.get(room)?.isIn !== true) {
      this.#out(room, "left", {});
      return;
    }
    this.#send(this.#asking.ask("leave", { room }, (answer) => {
      if (answer?.kith === "left") this.#out(room, "left", {});
      else if (answer) this.#refused(room, answer);
    }));
  }

  /** Says something; `done` hears whether it was said: the id of the line, or null and why. */
  say(room, text, done) {
    this.#send(this.#asking.ask("say", { room, text }, (answer) => {
      if (answer?.kith === "said" && LINE_ID.test(answer.id)) {
        this.#show(room, answer.id);
        done(answer.id, null);
      } else {
        done(null, answer && why(answer.code));
      }
    }));
  }

  /** Asks which rooms there are. */
  list(done) {
    const rooms = [];
    this.#send(this.#asking.ask("rooms", {}, (answer) => {
      if (answer?.kith !== "rooms") return;
      for (const card of Array.isArray(answer.rooms) ? answer.rooms : []) {
        if (rooms.length < MOST_ROOMS && typeof card?.room === "string") rooms.push(card.room);
      }
      if (answer.unfinished !== true) done(rooms);
    }));
  }

  /** Asks for what was said before the oldest line that is known. */
  older(room) {
    const before = this.#stays.get(room)?.oldest;
    if (!before) return;
    this.#send(this.#asking.ask("history", { room, before }, (answer) => {
      const stay = this.#stays.get(room);
      if (answer?.kith !== "history" || !stay) return;
      const lines = readLines(answer.lines);
      stay.oldest = answer.more === true ? (lines[0]?.id ?? null) : null;
      const fresh = lines.filter(({ id }) => this.#seen.admit(id));
      this.#emit("older", room, { lines: fresh, more: stay.oldest !== null });
    }));
  }

  /** Something happens in a room. */
  hear(frame) {
    const stay = this.#stays.get(frame.room);
    if (frame.kith !== "event" || !stay?.isIn) return;
    const { room, event } = frame;
    const number = frame.guest?.number;
    if (event === "said" || event === "recalled") {
      this.#onLine(room, stay, readLine(frame.line));
    } else if (event === "came" || event === "renamed") {
      const guest = who(frame.guest);
      if (guest && stay.guests.size < MOST_GUESTS) stay.guests.set(number, guest);
      this.#emit("guests", room, {});
    } else if (event === "topic") {
      stay.topic = typeof frame.topic === "string" ? frame.topic : null;
      this.#emit("topic", room, { topic: stay.topic });
    } else if (event === "withdrawn") {
      this.#emit("withdrawn", room, { line: frame.line });
    } else if (event === "closed" || (event === "expelled" && number === stay.you)) {
      const words = event === "closed" ? "closed this room." : "put you out of this room.";
      this.#out(room, "out", { words: `An operator has ${words}` });
    } else if (event === "went" || event === "expelled") {
      stay.guests.delete(number);
      this.#emit("guests", room, {});
    }
  }

  #onEntered(room, guests, answer) {
    const stay = this.#stays.get(room);
    if (!answer || !stay) return;
    if (answer.kith === "stayed") return;
    if (answer.kith !== "entered") {
      this.#refused(room, answer);
      return;
    }
    for (const guest of Array.isArray(answer.guests) ? answer.guests : []) {
      const known = who(guest);
      if (known && guests.size < MOST_GUESTS) guests.set(guest.number, known);
    }
    if (answer.unfinished === true) return;
    const topic = typeof answer.topic === "string" ? answer.topic : null;
    Object.assign(stay, { you: answer.you, topic, guests, isIn: true });
    const lines = readLines(answer.history);
    const isAgain = stay.shown !== null;
    this.#emit("entered", room, { topic, isAgain });
    if (isAgain) {
      stay.missed = { lines: [], since: [] };
      this.#onMissed(room, stay, lines, answer.more === true);
      return;
    }
    stay.oldest = answer.more === true ? (lines[0]?.id ?? null) : null;
    lines.forEach((line) => this.#tell(room, line));
    this.#emit("reach", room, { more: stay.oldest !== null });
    this.#emit("ready", room, {});
  }

  /** A page of what was said while the connection was lost. */
  #onMissed(room, stay, lines, more) {
    const { missed } = stay;
    missed.lines.unshift(...lines);
    const first = missed.lines[0]?.id;
    if (!more || !first || first <= stay.shown || missed.lines.length >= MOST_MISSED) {
      this.#catchUp(room, stay);
      return;
    }
    this.#send(this.#asking.ask("history", { room, before: first }, (answer) => {
      if (!answer || stay.missed !== missed) return;
      const page = answer.kith === "history" ? readLines(answer.lines) : [];
      this.#onMissed(room, stay, page, answer.more === true && page.length > 0);
    }));
  }

  #catchUp(room, stay) {
    const { lines, since } = stay.missed;
    stay.missed = null;
    for (const line of [...lines, ...since]) this.#tell(room, line);
    this.#emit("ready", room, {});
  }

  #onLine(room, stay, line) {
    if (!line) return;
    if (!stay.missed) {
      this.#tell(room, line);
      return;
    }
    stay.missed.since.push(line);
    if (stay.missed.since.length >= MOST_MISSED) this.#catchUp(room, stay);
  }

  #tell(room, line) {
    if (this.#show(room, line.id)) this.#emit("line", room, { line });
  }

  /** Says whether a line is new, and remembers it. */
  #show(room, id) {
    const stay = this.#stays.get(room);
    if (stay && (stay.shown === null || id > stay.shown)) stay.shown = id;
    return this.#seen.admit(id);
  }

  #refused(room, answer) {
    const stay = this.#stays.get(room);
    if (stay && !stay.isIn) this.#stays.delete(room);
    this.#emit("refused", room, { words: why(answer.code), isOut: !this.#stays.has(room) });
  }

  #out(room, kind, rest) {
    this.#stays.delete(room);
    this.#emit(kind, room, rest);
  }
}
