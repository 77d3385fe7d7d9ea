/*
 * The conversation that is open, line by line. New lines are added at the end, so that a screen reader reads them and
 * nothing else; the view follows them unless the reader has gone back to read.
 */

import { arrange, element, linked, part } from "./dom.js";
import { MOST_LINES, MOST_SHOWN_LINES } from "./limits.js";

/** Pixels from the end within which the reader counts as being there. */
const NEAR = 80;
const STATES = {
  waiting: "waits for the connection",
  lost: "perhaps not heard",
  refused: "not said",
};
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export class Log {
  #names;
  #again;
  #turn;
  #place = part("log");
  #items = new Map();

  /** `again(line)` says a line once more; `turn(id)` shows who somebody is. */
  constructor(names, again, turn) {
    this.#names = names;
    this.#again = again;
    this.#turn = turn;
  }

  /** Shows another conversation, or the same one anew. */
  show(conversation) {
    const distance = this.#place.scrollHeight - this.#place.scrollTop;
    const isNear = this.#isNear();
    const isSame = this.#place.dataset.of === conversation.key;
    this.#place.dataset.of = conversation.key;
    this.#items.clear();
    // All that is shown anew was said before, so nobody is told of it.
    this.#place.setAttribute("aria-live", "off");
    arrange(this.#place, []);
    const lines = conversation.lines.slice(-this.#most(conversation));
    arrange(this.#place, lines.map((line) => this.#made(line)));
    this.#place.scrollTop = isSame && !isNear ? this.#place.scrollHeight - distance : this.#place.scrollHeight;
    this.#place.setAttribute("aria-live", "polite");
  }

  /** Whoever asks for older lines is shown more of them. */
  #most(conversation) {
    return Math.max(MOST_SHOWN_LINES, conversation.wanted ?? 0);
  }

  add(line, conversation) {
    const isNear = this.#isNear();
    this.#place.append(this.#made(line));
    const most = isNear ? this.#most(conversation) : MOST_LINES;
    while (this.#place.children.length > most) {
      const oldest = this.#place.firstElementChild;
      this.#items.delete(Number(oldest.dataset.number));
      oldest.remove();
    }
    if (isNear || line.isOwn) this.#place.scrollTop = this.#place.scrollHeight;
  }

  /** Something has become of a line. */
  change(line) {
    const item = this.#items.get(line.number);
    if (item) this.#state(item, line);
  }

  #isNear() {
    const { scrollHeight, scrollTop, clientHeight } = this.#place;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  #made(line) {
    const item = element("li", { className: line.kind, data: { number: line.number } });
    this.#items.set(line.number, item);
    const moment = new Date(line.at);
    const isToday = moment.toDateString() === new Date().toDateString();
    const time = element("time", { text: (isToday ? CLOCK : DAY).format(moment) });
    time.dateTime = moment.toISOString();
    time.title = DAY.format(moment);
    const text = element("p", { className: "text" });
    text.append(linked(line.text));
    if (line.kind === "notice") {
      item.append(text, time);
      return item;
    }
    item.append(this.#author(line), time, text);
    if (line.author) item.dataset.author = line.author;
    if (line.isOwn) item.dataset.own = "";
    if (line.kind === "topic") text.prepend("is now about: ");
    this.#state(item, line);
    return item;
  }

  #author(line) {
    if (line.label !== null || line.author === null) {
      return element("span", { className: "author other", text: line.label ?? "An operator" });
    }
    const author = element("button", { className: "author", text: line.isOwn ? "you" : this.#names.of(line.author) });
    author.type = "button";
    author.title = line.author;
    author.addEventListener("click", () => this.#turn(line.author));
    return author;
  }

  #state(item, line) {
    item.dataset.state = line.state;
    item.querySelector(".state")?.remove();
    const words = STATES[line.state];
    if (!words) return;
    const state = element("p", { className: "state", text: line.words ? `${words}: ${line.words}` : words });
    if (["lost", "refused"].includes(line.state)) {
      const again = element("button", { text: "Say it again" });
      again.type = "button";
      again.addEventListener("click", () => this.#again(line));
      state.append(" ", again);
    }
    item.append(state);
  }
}
