/*
 * Where one types: Enter says it, Shift and Enter break the line. What was begun in a conversation is there when one comes
 * back to it, whatever becomes of the connection.
 */

import { part } from "./dom.js";

const MOST_ROWS = 8;

export class Composer {
  #say = part("say");
  #of = null;

  /** `said(text)` is told what is to be said. */
  constructor(said) {
    part("say-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(said);
    });
    this.#say.addEventListener("input", () => this.#grow());
    this.#say.addEventListener("keydown", (event) => {
      // While an input method composes a word, Enter belongs to it.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit(said);
    });
  }

  /** Goes on with what was begun in this conversation. */
  show(conversation, label) {
    this.#say.setAttribute("aria-label", label);
    this.#say.placeholder = label;
    if (this.#of === conversation) return;
    if (this.#of) this.#of.draft = this.#say.value;
    this.#of = conversation;
    this.#say.value = conversation.draft;
    this.#grow();
  }

  focus() {
    this.#say.focus();
  }

  #submit(said) {
    const text = this.#say.value.trimEnd();
    this.#say.value = "";
    this.#grow();
    if (text !== "") said(text);
  }

  #grow() {
    this.#say.rows = Math.min(this.#say.value.split("\n").length, MOST_ROWS);
  }
}
