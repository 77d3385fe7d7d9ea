/*
 * How the page stands: one word for style sheets and tests, and a line for people.
 */

import { part } from "./dom.js";

/** `state`: starting, connecting, online, moving, offline, taken or insecure. */
export function say(state, words) {
  document.body.dataset.state = state;
  // Whoever listens need not hear the same twice.
  if (part("status").textContent !== words) part("status").textContent = words;
}

/** Something stands in the way of talking; nothing, if it is out of the way. */
export function hinder(obstacle) {
  part("obstacle").hidden = obstacle === null;
  part("house").inert = obstacle !== null;
  part("obstacle-title").textContent = obstacle?.title ?? "";
  part("obstacle-text").textContent = obstacle?.text ?? "";
  part("take-over").hidden = obstacle?.canTakeOver !== true;
}
