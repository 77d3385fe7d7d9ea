/*
 * A member at her home: the session of the protocol, the rooms and the introductions beside it, on whichever connection
 * there is. It is the voice of the link, and tells the page what happens by events.
 *
 * The protocol has no receipts. So behind each letter goes a small request that the server answers in order; when the
 * answer is there, the letter was taken. A public letter also comes back to its author, always before a planned
 * hand-over ends: one that did not was never read, and is said again behind the next door. Of a private letter nobody
 * knows then, nor of any after a crash, and the page says so: rather that than the same letter twice.
 */

import { Asking } from "./asking.js";
import { Line } from "./bounded.js";
import { utf8 } from "./bytes.js";
import { Introductions } from "./introductions.js";
import { isObject, parse, LIST_REQUEST } from "./letters.js";
import { LONGEST_RETURN_MS, MOST_UNSAID } from "./limits.js";
import { SayError } from "./olaf.js";
import { Rooms, offered } from "./rooms.js";

/** The bounds of a server's word about its limits. */
const LEAST_MESSAGE = 4 << 10;
const MOST_MESSAGE = 16 << 20;

export class Home {
  offer = null;
  isOnline = false;
  #session;
  #emit;
  #link = null;
  #work = new Line();
  #asking = new Asking();
  /** What is to be said, in order: waiting, said and not answered yet, or lost in a room whose history will tell. */
  #outbox = [];
  /** Whether the server of this connection was asked what it offers. */
  #isKnown = false;
  #onlineSince = 0;
  /** Whether the last connection was lost because the home moved. */
  #isMoved = false;

  constructor(session, emit) {
    this.#session = session;
    this.#emit = emit;
    const send = (frame) => this.#link?.send(frame) ?? false;
    this.rooms = new Rooms(this.#asking, send, (event) => this.#onRoom(event));
    this.introductions = new Introductions(this.#asking, send, emit);
  }

  get directory() {
    return this.#session.directory;
  }

  get id() {
    return this.#session.id;
  }

  attach(link) {
    this.#link = link;
  }

  /** The first frames of a connection. */
  greet() {
    return this.#work.run(() => {
      this.lose(false);
      return this.#session.greet();
    });
  }

  /** The connection is gone, perhaps because the home moved. Whoever waits for an answer hears so. */
  lose(isMoved) {
    this.#isMoved = isMoved;
    this.isOnline = false;
    this.#isKnown = false;
    this.offer = null;
    this.rooms.lose();
    this.#asking.lose();
  }

  receive(frame) {
    return this.#work.run(async () => {
      if (this.offer && frame.includes('"kith"')) {
        const value = parse(frame);
        if (isObject(value) && Object.hasOwn(value, "kith")) {
          if (!this.#asking.answer(value)) this.rooms.hear(value);
          return;
        }
      }
      for (const output of await this.#session.receive(frame)) {
        if (output.send) this.#link?.send(output.send);
        else this.#tell(output);
      }
    });
  }

  #tell(event) {
    if (event.kind === "echo") {
      const own = this.#outbox.find((item) => item.where.kind === "public" && item.state === "said" && item.text === event.text);
      if (own) this.#finish(own, "taken");
      return;
    }
    // Only a server that let us in sends lists.
    if (event.kind === "listed" && !this.isOnline) {
      this.isOnline = true;
      this.#onlineSince = performance.now();
      setTimeout(() => this.#pump(), LONGEST_RETURN_MS);
      this.#link?.isGood();
      this.#emit({ kind: "online" });
      this.#begin();
    }
    this.#emit(event);
    if (event.kind === "listed") this.#pump();
  }

  /** What any server answers soon. */
  ask() {
    return this.offer ? this.#receipt(() => {}) : LIST_REQUEST;
  }

  #receipt(answered) {
    return this.#asking.ask("history", { room: "public", most: 1 }, answered);
  }

  /** What the server says of itself. */
  about(document) {
    return this.#work.run(() => {
      const { limits, server } = document;
      const within = (value, least, most, otherwise) =>
        Number.isSafeInteger(value) ? Math.min(Math.max(value, least), most) : otherwise;
      this.#session.limits = {
        message_bytes: within(limits?.message_bytes, LEAST_MESSAGE, MOST_MESSAGE, 1 << 20),
        recipients_per_letter: within(limits?.recipients_per_letter, 1, 256, 256),
      };
      this.offer = offered(document.rooms);
      const name = typeof server?.name === "string" ? server.name.slice(0, 100) : "Kith";
      const uploadBytes = within(limits?.upload_bytes, 0, Number.MAX_SAFE_INTEGER, null);
      this.#emit({ kind: "about", name, uploadBytes, offer: this.offer });
      this.#isKnown = true;
      this.#begin();
    });
  }

  /** The connection is good, and it is known what it is good for. */
  #begin() {
    if (!this.isOnline || !this.#isKnown) return;
    if (this.offer) this.rooms.enterAll();
    this.#pump();
  }

  /**
   * Says something: `where` is {kind: "public"}, {kind: "private", people} or {kind: "room", room}. What cannot be said now
   * waits for the next connection. `done(state, words, id)` hears what became of it: taken, refused, or lost.
   */
  say(where, text, done) {
    if (this.#outbox.length >= MOST_UNSAID) {
      done("refused", "Too much waits to be said already.");
      return;
    }
    this.#outbox.push({ where, text, done, state: "waiting" });
    this.#pump();
  }

  #pump() {
    this.#work.run(async () => {
      for (const item of [...this.#outbox]) {
        if (item.state !== "waiting" || !this.#isReadyFor(item.where)) continue;
        try {
          await this.#sayNow(item);
        } catch (error) {
          const words = error instanceof SayError ? error.message : `This page failed: ${error.message}`;
          this.#finish(item, "refused", words);
        }
      }
    });
  }

  #isReadyFor({ kind, room, people }) {
    if (!this.isOnline || !this.#isKnown) return false;
    if (kind === "room") return this.offer === null || this.rooms.isReady(room);
    if (kind === "public" || people.every((id) => this.directory.isPresent(id))) return true;
    return performance.now() - this.#onlineSince >= LONGEST_RETURN_MS;
  }

  async #sayNow(item) {
    const { where, text } = item;
    if (where.kind === "room") {
      if (!this.offer) throw new SayError("This server has no rooms.");
      if (utf8(text).length > this.offer.lineBytes) throw new SayError("That is too long for one line of a room.");
      item.state = "said";
      this.rooms.say(where.room, text, (id, words) => this.#settle(item, id, words));
      return;
    }
    const letter =
      where.kind === "public" ? await this.#session.public(text) : await this.#session.private(where.people, text);
    // A letter that finds no connection any more was never said.
    if (!this.#link.send(letter)) return;
    item.state = "said";
    if (!this.offer) this.#finish(item, "taken");
    else this.#link.send(this.#receipt((answer) => this.#settle(item, answer, null)));
  }

  /** The server has answered behind something that was said, or never will. */
  #settle(item, answer, words) {
    if (!this.#outbox.includes(item)) return;
    if (answer) this.#finish(item, "taken", null, answer);
    else if (words) this.#finish(item, "refused", words);
    else if (item.where.kind === "room") item.state = this.#isMoved ? "untaken" : "unknown";
    else if (this.#isMoved && item.where.kind === "public") item.state = "waiting";
    else this.#finish(item, "lost");
  }

  #finish(item, state, words = null, id = null) {
    this.#outbox = this.#outbox.filter((other) => other !== item);
    item.done(state, words, typeof id === "string" ? id : null);
  }

  /** What happens in rooms; its history tells what was taken before a connection was lost. */
  #onRoom(event) {
    const { kind, room, line } = event;
    const here = this.#outbox.filter(({ where }) => where.kind === "room" && where.room === room);
    if (kind === "line" && line.by?.id === this.id) {
      const own = here.find(({ text, state }) => ["untaken", "unknown"].includes(state) && text === line.text);
      if (own) {
        this.#finish(own, "taken", null, line.id);
        return;
      }
    }
    if (kind === "ready") {
      for (const item of here) {
        if (item.state === "untaken") item.state = "waiting";
        else if (item.state === "unknown") this.#finish(item, "lost");
      }
      this.#pump();
      return;
    }
    if (!this.rooms.names.includes(room)) {
      here.forEach((item) => this.#finish(item, "refused", event.words ?? "You are not in that room any more."));
    }
    this.#emit(event);
  }
}
