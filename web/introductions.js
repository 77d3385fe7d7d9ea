/*
 * Who listens where: the directory of clients that mesh by themselves (docs/rendezvous.md), read and written by frames
 * beside the protocol. It is read again when something was changed from here, and when somebody looks at it.
 */

import { why } from "./asking.js";
import { isObject } from "./letters.js";
import { MOST_INTRODUCTIONS } from "./limits.js";

export class Introductions {
  #asking;
  #send;
  #emit;

  constructor(asking, send, emit) {
    this.#asking = asking;
    this.#send = send;
    this.#emit = emit;
  }

  look() {
    const entries = [];
    this.#send(this.#asking.ask("directory", {}, (answer) => {
      if (answer?.kith !== "directory") return;
      for (const entry of Array.isArray(answer.entries) ? answer.entries : []) {
        if (entries.length >= MOST_INTRODUCTIONS || !isObject(entry) || typeof entry.at !== "string") continue;
        const member = typeof entry.member === "string" ? entry.member : null;
        entries.push({ at: entry.at.slice(0, 100), member, isUndialable: entry.undialable === true });
      }
      if (answer.unfinished !== true) this.#emit({ kind: "introductions", entries });
    }));
  }

  register(at) {
    this.#change("register", at, `${at} is listed.`);
  }

  withdraw(at) {
    this.#change("unregister", at, `${at} is not listed any more.`);
  }

  #change(request, at, words) {
    this.#send(this.#asking.ask(request, { at }, (answer) => {
      if (!answer) return;
      const isDone = answer.kith === `${request}ed`;
      this.#emit({ kind: "introduced", isDone, words: isDone ? words : `${at}: ${why(answer.code)}.` });
      if (isDone) this.look();
    }));
  }
}
