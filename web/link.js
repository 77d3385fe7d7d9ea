/*
 * A connection that stays up: dialling, holding, waiting, dialling again, and going on to whichever door of the home is
 * served. What comes in is handed on one frame after the other. It knows sockets and documents, and nothing of what is
 * said; `voice` does: `greet()` gives the first frames, `receive(frame)` takes one, `ask()` gives one that any server
 * answers soon, and `about(document)` hears what a server says of itself.
 */

import { Line } from "./bounded.js";
import { Doors } from "./doors.js";
import { closed, passing } from "./farewell.js";
import { isObject, parse } from "./letters.js";
import * as limits from "./limits.js";

export class Link {
  #doors;
  #voice;
  #report;
  #socket = null;
  #isStopped = false;
  #span = limits.LEAST_WAIT_MS;
  #wasGood = false;
  #wake = () => {};
  #heard = 0;
  /** Whether nothing more can be hoped for. */
  isOver = false;

  /** `report(state, details)` is told how it goes: connecting, connected, lost, waiting, ended. */
  constructor(door, voice, report) {
    this.#doors = new Doors(door);
    this.#voice = voice;
    this.#report = report;
  }

  get door() {
    return this.#doors.present;
  }

  get areSeveral() {
    return this.#doors.areSeveral;
  }

  /** Dials until it is stopped, or until nothing can be hoped for. */
  async run() {
    let again = false;
    while (!this.#isStopped) {
      this.#report("connecting", { door: this.door });
      const end = await this.#once();
      if (this.#isStopped) return;
      if (!end.again && !this.areSeveral) {
        this.isOver = true;
        this.#report("ended", { words: end.words });
        return;
      }
      // Where there are other doors, nothing is the last word.
      if (!end.again) this.#doors.forget();
      again ||= end.standsBy === true;
      this.#report("lost", { words: end.words, door: this.door, isMoved: end.moved !== null });
      if (this.#doors.step(end.moved)) continue;
      await this.#wait(again);
      again = false;
    }
  }

  /** Closes for good. */
  stop() {
    this.#isStopped = true;
    this.#socket?.close(1000);
    this.#wake();
  }

  /** Does not wait any longer. */
  hurry() {
    this.#wake();
  }

  /** Sends a frame on the connection that is there. Says whether there was one. */
  send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(frame);
    return true;
  }

  /** Only a server that let us in was worth the wait. */
  isGood() {
    this.#span = limits.LEAST_WAIT_MS;
    this.#wasGood = true;
  }

  async #wait(isLookingForALeader) {
    const span = this.#span;
    this.#span = Math.min(2 * span, limits.MOST_WAIT_MS);
    const random = crypto.getRandomValues(new Uint16Array(1))[0] / 0xffff;
    let wait = Math.max(span / 2 + (span / 2) * random, limits.LEAST_WAIT_MS);
    if (isLookingForALeader && this.areSeveral) wait = Math.min(wait, limits.STANDBY_WAIT_MS);
    this.#report("waiting", { wait, door: this.door });
    await new Promise((wake) => {
      const timer = setTimeout(wake, wait);
      this.#wake = () => {
        clearTimeout(timer);
        wake();
      };
    });
  }

  /** One attempt and the connection it may become. */
  async #once() {
    const door = this.door;
    let socket;
    try {
      socket = new WebSocket(door.socket);
    } catch {
      return passing(`This browser does not connect to ${door.socket}`);
    }
    this.#socket = socket;
    const end = new Promise((resolve) => {
      socket.addEventListener("close", ({ code, reason }) => resolve(closed(code, reason)));
    });
    const patience = this.areSeveral ? limits.LONGEST_TRY_MS : limits.LONGEST_DIAL_MS;
    const opened = await within(patience, opening(socket));
    if (!opened) {
      socket.close();
      return this.#unreachable(door);
    }
    if (this.#isStopped) {
      socket.close(1000);
      return passing("");
    }
    const farewell = await this.#hold(socket, door, end);
    this.#socket = null;
    if (this.#wasGood) this.#doors.wasGood();
    this.#wasGood = false;
    return farewell;
  }

  /** A browser does not say why it could not connect. The document of a node that stands by says where to go. */
  async #unreachable(door) {
    this.#socket = null;
    const home = (await documentOf(door))?.home;
    if (isObject(home)) this.#doors.learn(home);
    const standsBy = isObject(home) && home.serving === false;
    const words = standsBy ? `${door.socket} stands by` : `Nobody answers at ${door.socket}`;
    return { ...passing(words), standsBy };
  }

  async #hold(socket, door, end) {
    const line = new Line();
    const queue = { frames: 0, letters: 0, isDropped: false };
    let cut;
    const isCut = new Promise((resolve) => (cut = (words) => resolve(passing(words))));
    socket.addEventListener("message", ({ data }) => {
      this.#heard = performance.now();
      if (typeof data !== "string") return;
      queue.frames += 1;
      queue.letters += data.length;
      if (queue.frames > limits.MOST_FRAMES || queue.letters > limits.MOST_FRAME_LETTERS) {
        queue.isDropped = true;
        cut("More came than this page can read");
        return;
      }
      line.run(async () => {
        if (!queue.isDropped) await this.#voice.receive(data);
      }).catch((error) => cut(`This page failed: ${error.message}`)).finally(() => {
        queue.frames -= 1;
        queue.letters -= data.length;
      });
    });
    // What the server says of itself is asked beside: it may not answer, and a hello must not wait for it.
    const greeting = line.run(async () => {
      for (const frame of await this.#voice.greet()) socket.send(frame);
      this.#report("connected", { door });
    });
    greeting.catch((error) => cut(`This page failed: ${error.message}`));
    this.#ask(socket, door, line, greeting);
    const stopWatching = this.#watch(socket, cut);
    const farewell = await Promise.race([end, isCut]);
    stopWatching();
    socket.close();
    // What came before the end was said, and is still to be read.
    await line.run(() => {});
    return farewell;
  }

  async #ask(socket, door, line, greeting) {
    const document = await documentOf(door);
    await greeting.catch(() => {});
    if (this.#socket !== socket) return;
    if (isObject(document?.home)) this.#doors.learn(document.home);
    line.run(() => this.#voice.about(document ?? {})).catch(() => {});
  }

  /** A machine that is gone says nothing, and neither does a browser: so a server that is quiet is asked something. */
  #watch(socket, cut) {
    this.#heard = performance.now();
    let askedAt = 0;
    const timer = setInterval(() => {
      const now = performance.now();
      if (this.#heard > askedAt) {
        if (now - this.#heard < limits.QUIET_MS) return;
        askedAt = now;
        socket.send(this.#voice.ask());
      } else if (now - askedAt > limits.LONGEST_SILENCE_MS) {
        cut("The server does not answer any more");
      }
    }, 1_000);
    return () => clearInterval(timer);
  }
}

const opening = (socket) =>
  new Promise((resolve) => {
    socket.addEventListener("open", () => resolve(true));
    socket.addEventListener("close", () => resolve(false));
  });

async function within(milliseconds, promise) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(() => resolve(null), milliseconds)));
  const first = await Promise.race([promise, late]);
  clearTimeout(timer);
  return first;
}

/** The information document behind a door; null if there is none. */
export async function documentOf(door) {
  try {
    const answer = await fetch(`${door.web}/`, {
      headers: { Accept: "application/json" },
      cache: "no-store",
      credentials: "omit",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(limits.LONGEST_QUESTION_MS),
    });
    if (!answer.ok) return null;
    const document = parse(await readAtMost(answer, limits.LARGEST_DOCUMENT));
    return isObject(document) ? document : null;
  } catch {
    return null;
  }
}

async function readAtMost(answer, most) {
  const parts = [];
  let bytes = 0;
  for (const reader = answer.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    if (bytes > most) {
      await reader.cancel();
      return "";
    }
    parts.push(value);
  }
  return await new Blob(parts).text();
}
