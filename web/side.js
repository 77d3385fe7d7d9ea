/*
 * The left side: conversations, people, rooms to enter, and introductions.
 */

import { arrange, element, part } from "./dom.js";
import { MOST_SHOWN_MEMBERS } from "./limits.js";

/** What a conversation is called for a reader. */
export function titleOf(conversation, names) {
  if (conversation.kind === "public") return "Everybody";
  if (conversation.kind === "room") return conversation.room;
  const [first, second, ...more] = conversation.people.map((id) => names.of(id));
  const others = more.length > 0 ? ` and ${more.length} more` : "";
  return second === undefined ? first : `${first}, ${second}${others}`;
}

export class Side {
  #names;
  #show;
  #turn;
  #buttons = new Map();
  #members = new Map();

  /** `show(conversation)` opens one; `turn(id)` opens the private conversation with somebody. */
  constructor(names, show, turn) {
    this.#names = names;
    this.#show = show;
    this.#turn = turn;
  }

  conversations(chat) {
    const order = { public: 0, room: 1, private: 2 };
    const list = chat.list.sort((one, other) => order[one.kind] - order[other.kind] || other.touched - one.touched);
    for (const known of this.#buttons.keys()) if (!list.includes(known)) this.#buttons.delete(known);
    arrange(part("conversations"), list.map((conversation) => this.#conversation(conversation, chat)));
  }

  #conversation(conversation, chat) {
    let item = this.#buttons.get(conversation);
    if (!item) {
      item = element("li");
      const button = element("button", { className: conversation.kind, data: { conversation: conversation.key } });
      button.type = "button";
      button.addEventListener("click", () => this.#show(conversation));
      button.append(element("span", { className: "name" }));
      item.append(button);
      this.#buttons.set(conversation, item);
    }
    const button = item.firstElementChild;
    button.firstElementChild.textContent = titleOf(conversation, this.#names);
    button.querySelector("[data-unread]")?.remove();
    if (conversation.unread > 0) {
      const unread = element("span", { text: String(conversation.unread), data: { unread: conversation.unread } });
      unread.setAttribute("aria-label", `${conversation.unread} unread`);
      button.append(unread);
    }
    if (conversation === chat.open) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    return item;
  }

  /** Everybody who is here: pairs of an id and the homes. */
  members(present) {
    const named = present.map(([id, homes]) => ({ id, homes, name: this.#names.of(id), isNamed: this.#names.given(id) !== "" }));
    // Those whom the reader knows come first.
    named.sort((one, other) => other.isNamed - one.isNamed || (one.name < other.name ? -1 : 1));
    const shown = named.slice(0, MOST_SHOWN_MEMBERS);
    const ids = new Set(shown.map(({ id }) => id));
    for (const id of this.#members.keys()) if (!ids.has(id)) this.#members.delete(id);
    arrange(part("members"), shown.map((member) => this.#member(member)));
    part("members-count").textContent = present.length > 0 ? `(${present.length})` : "";
    const more = part("members-more");
    more.hidden = named.length === shown.length;
    more.textContent = `and ${named.length - shown.length} more, who are not shown`;
  }

  #member({ id, homes, name }) {
    let item = this.#members.get(id);
    if (!item) {
      item = element("li", { data: { fingerprint: id } });
      const button = element("button");
      button.type = "button";
      button.addEventListener("click", () => this.#turn(id));
      item.append(button);
      this.#members.set(id, item);
    }
    const home = homes[0] ?? "";
    item.dataset.home = home;
    item.firstElementChild.textContent = name;
    item.firstElementChild.title = `${name} at ${home}`;
    return item;
  }

  /** People who could join a conversation: pairs of an id and the homes. */
  invitable(present) {
    const invite = part("invite");
    const named = present.slice(0, MOST_SHOWN_MEMBERS).map(([id]) => [id, this.#names.of(id)]);
    const isSame = JSON.stringify(named);
    if (invite.dataset.shown === isSame) return;
    invite.dataset.shown = isSame;
    const first = element("option", { text: "Add somebody" });
    first.value = "";
    arrange(invite, [first, ...named.map(([id, name]) => {
      const option = element("option", { text: name });
      option.value = id;
      return option;
    })]);
  }

  /** Rooms that one could enter. */
  rooms(names) {
    arrange(part("rooms"), names.slice(0, MOST_SHOWN_MEMBERS).map((name) => {
      const option = element("option");
      option.value = name;
      return option;
    }));
  }

  introductions(entries, me) {
    const place = part("introductions");
    const isSame = JSON.stringify(entries);
    if (place.dataset.shown === isSame) return;
    place.dataset.shown = isSame;
    arrange(place, entries.map(({ at, member, isUndialable }) => {
      const item = element("li", { data: { address: at, member } });
      const whose = member === null ? "" : ` ${member === me ? "you" : this.#names.of(member)}`;
      item.append(element("code", { text: at }), whose, isUndialable ? " (cannot be dialled)" : "");
      return item;
    }));
  }
}
