/*
 * One person talks: her home and its doors, her conversations, and what of them is to be seen. It goes on across
 * connections, and ends when she becomes another person.
 */

import { Chat } from "./chat.js";
import { part, soon } from "./dom.js";
import { upload } from "./files.js";
import { Home } from "./home.js";
import { Link } from "./link.js";
import { short } from "./names.js";
import { Session } from "./olaf.js";
import { showPerson } from "./person.js";
import { say as sayState } from "./status.js";
import { titleOf } from "./side.js";

/** How much is shown of a letter that nobody has proven. */
const LONGEST_CLAIM = 300;
/** How many of them are shown. */
const MOST_CLAIMS_A_MINUTE = 10;

export class Talk {
  #store;
  #screen;
  #link = null;
  #uploadBytes = null;
  #isBridged = false;
  #claims = { minute: 0, count: 0 };
  #refreshList = soon(() => this.#showList());
  #refreshMembers = soon(() => this.#showMembers());

  /** `screen` has the views: the log, the side, the composer. */
  constructor(identity, names, store, screen) {
    this.names = names;
    this.#store = store;
    this.#screen = screen;
    const session = new Session(identity, () => store.nextCounter(identity.id));
    this.home = new Home(session, (event) => this.#hear(event));
    this.chat = new Chat(identity.id, (what) => this.#changed(what));
    part("me").textContent = short(identity.id);
    part("me").dataset.fingerprint = identity.id;
  }

  get isOnline() {
    return this.home.isOnline;
  }

  /** Dials this door, and others of its home. */
  start(door) {
    this.#changed({ list: true, log: true });
    const link = new Link(door, this.home, (state, details) => {
      if (this.#link === link) this.#report(state, details);
    });
    this.#link = link;
    this.home.attach(link);
    link.run();
  }

  stop() {
    this.#link?.stop();
    this.#link = null;
    this.home.lose(false);
  }

  /** Does not wait any longer. */
  retry(door) {
    if (this.#link?.isOver) this.start(door);
    else this.#link?.hurry();
  }

  #report(state, { door, words, wait, isMoved }) {
    part("door").textContent = this.#link.door.socket;
    part("retry").hidden = !["waiting", "ended"].includes(state);
    if (state === "connecting" && document.body.dataset.state !== "moving") {
      sayState("connecting", `Connecting to ${door.socket}`);
    } else if (state === "lost") {
      this.home.lose(isMoved);
      this.#refreshMembers();
      if (this.#link.areSeveral || isMoved) sayState("moving", `${words}. Moving to another door of this home`);
      else sayState("connecting", words);
    } else if (state === "waiting") {
      sayState("offline", `Not connected. Trying again in ${Math.ceil(wait / 1000)} s`);
    } else if (state === "ended") {
      this.home.lose(false);
      sayState("offline", `Not connected: ${words}`);
    }
  }

  /** Something happens at home. */
  #hear(event) {
    const { kind } = event;
    if (kind === "online") sayState("online", `Connected`);
    else if (kind === "about") this.#about(event);
    else if (kind === "listed") this.#refreshMembers();
    else if (kind === "public") this.chat.hear(this.chat.at({ kind: "public" }), event);
    else if (kind === "private") this.#hearPrivate(event);
    else if (kind === "unverified") this.#hearClaim(event);
    else if (kind === "complaint") this.#noteOfOthers(this.chat.open, `The server says: ${event.text.slice(0, LONGEST_CLAIM)}`);
    else if (kind === "introductions") this.#screen.side.introductions(event.entries, this.home.id);
    else if (kind === "introduced") this.chat.note(this.chat.open, event.words);
    else if (event.room !== undefined) this.#hearRoom(event);
  }

  #about({ name, uploadBytes, offer }) {
    part("home-name").textContent = name;
    this.#screen.title(name);
    this.#uploadBytes = uploadBytes;
    this.#isBridged = offer?.isBridged === true;
    // What everybody has said before stands in the history of that room.
    if (this.#isBridged) this.home.rooms.want("public");
    this.home.rooms.list((rooms) => this.#screen.side.rooms(rooms));
  }

  #hearPrivate({ from, to, strangers, text }) {
    const people = [...new Set([from, ...to])].filter((id) => id !== this.home.id);
    // A letter to oneself has nobody else in it.
    const conversation = this.chat.at({ kind: "private", people: people.length > 0 ? people : [this.home.id] });
    this.chat.hear(conversation, { from, text });
    if (strangers > 0) this.chat.note(conversation, `${strangers} more can read this, who are not known here.`);
  }

  /** A claim is shown as one, in the words of the program and never as a line of whoever it names. */
  #hearClaim({ claimed, isPrivate, text, why }) {
    const what = isPrivate ? "A sealed letter" : "A letter";
    const cut = text.length > LONGEST_CLAIM ? `${text.slice(0, LONGEST_CLAIM)}…` : text;
    const words = `${what} that nobody has proven (${why}), in the name of ${claimed.slice(0, 88)}: ${cut}`;
    this.#noteOfOthers(this.chat.at({ kind: "public" }), words);
  }

  /** What anybody can cause without a key is told now and then, and otherwise not at all: it must not push out the rest. */
  #noteOfOthers(conversation, words) {
    const minute = Math.floor(Date.now() / 60_000);
    if (this.#claims.minute !== minute) this.#claims = { minute, count: 0 };
    this.#claims.count += 1;
    if (this.#claims.count < MOST_CLAIMS_A_MINUTE) this.chat.note(conversation, words);
    else if (this.#claims.count === MOST_CLAIMS_A_MINUTE) this.chat.note(conversation, "More such things came, which are not shown.");
  }

  #roomOf(name) {
    return this.chat.at(this.#isBridged && name === "public" ? { kind: "public" } : { kind: "room", room: name });
  }

  #hearRoom({ kind, room, ...event }) {
    const conversation = this.#roomOf(room);
    const lineOf = ({ by, text, at, id, isTopic }) => ({ from: by?.id ?? by?.key ?? null, label: by?.label ?? null, text, at, id, isTopic });
    if (kind === "line") {
      const line = lineOf(event.line);
      if (conversation.kind === "public" && this.chat.hasHeard(conversation, line.from, line.text, line.at)) return;
      this.chat.hear(conversation, { ...line, isOld: !this.home.rooms.isReady(room) });
    } else if (kind === "older") {
      conversation.more = event.more;
      conversation.wanted = (conversation.wanted ?? conversation.lines.length) + event.lines.length;
      this.chat.precede(conversation, event.lines.map(lineOf));
    } else if (kind === "reach") {
      conversation.more = event.more;
    } else if (kind === "topic" || kind === "entered") {
      conversation.topic = event.topic;
    } else if (kind === "withdrawn") {
      this.chat.withdraw(conversation, event.line);
    } else if (kind === "left") {
      this.chat.end(conversation);
    } else if (kind === "out" || kind === "refused") {
      const words = kind === "out" ? event.words : `${event.isOut ? "You are not in this room" : "That was not done"}: ${event.words}.`;
      this.chat.note(conversation, words);
    }
    this.#showHead();
  }

  /** Says something in the conversation that is open. */
  say(text, conversation = this.chat.open) {
    const line = this.chat.say(conversation, text);
    this.home.say(conversation, text, (state, words, id) => this.chat.settle(conversation, line, state, words, id));
  }

  sayAgain(line) {
    this.chat.drop(this.chat.open, line);
    this.say(line.text);
  }

  async attach(file) {
    const conversation = this.chat.open;
    this.chat.note(conversation, `Leaving ${file.name} at the server, where whoever has its address can fetch it.`);
    const { url, problem } = await upload(this.#link.door, file, this.#uploadBytes);
    if (problem) this.chat.note(conversation, `${file.name} was not sent: ${problem}.`);
    else this.say(`${file.name}: ${url}`, conversation);
  }

  turnTo(id) {
    this.chat.show(this.chat.at({ kind: "private", people: [id] }));
    this.#screen.composer.focus();
  }

  /** Goes on with one more person, in a conversation of its own: who comes later does not read what was said before. */
  invite(id) {
    const { people } = this.chat.open;
    if (id && people) this.chat.show(this.chat.at({ kind: "private", people: [...people, id] }));
    this.#screen.composer.focus();
  }

  enter(room) {
    if (!this.home.offer) {
      this.chat.note(this.chat.open, "This server offers no rooms, or does not answer at the moment.");
      return;
    }
    const conversation = this.#roomOf(room);
    if (conversation.kind === "room") this.home.rooms.enter(room);
    this.chat.show(conversation);
    this.#screen.composer.focus();
  }

  leave() {
    const conversation = this.chat.open;
    if (conversation.kind === "room" && this.home.rooms.names.includes(conversation.room)) {
      this.home.rooms.leave(conversation.room);
    } else {
      this.chat.end(conversation);
    }
  }

  /** Shows older lines: those that are known first, then what the server still has. */
  older() {
    const conversation = this.chat.open;
    const shown = part("log").children.length;
    if (shown < conversation.lines.length) {
      conversation.wanted = shown + 500;
      this.#screen.log.show(conversation);
      this.#showHead();
    } else {
      this.home.rooms.older(conversation.kind === "public" ? "public" : conversation.room);
    }
  }

  /** Calls somebody so from now on. Says what is wrong with the name, or null. */
  async call(id, name) {
    const problem = this.names.give(id, name);
    if (problem) return problem;
    await this.#store.name(id, name);
    this.#refreshMembers();
    this.#changed({ list: true, log: true });
    return null;
  }

  showPerson(id) {
    // Whoever speaks another protocol has no key to compare.
    if (/^[0-9a-f]{64}$/.test(id)) showPerson(this, id);
  }

  #changed({ list, log, added, line, isNews }) {
    if (isNews) this.#screen.news();
    if (list) this.#refreshList();
    if (log) {
      this.#screen.log.show(this.chat.open);
      this.#showHead();
    } else if (added) {
      this.#screen.log.add(added, this.chat.open);
    } else if (line) {
      this.#screen.log.change(line);
    }
  }

  #showList() {
    this.#screen.side.conversations(this.chat);
  }

  /** Everybody else who is here: pairs of an id and the homes. */
  #present() {
    const here = [...this.home.directory.members].filter(([id, { homes }]) => homes.length > 0 && id !== this.home.id);
    return here.map(([id, { homes }]) => [id, homes]);
  }

  #showMembers() {
    this.#screen.side.members(this.#present());
    this.#showHead();
  }

  #showHead() {
    const { open } = this.chat;
    const title = titleOf(open, this.names);
    part("conversation-title").textContent = title;
    part("conversation-about").textContent = this.#aboutOf(open);
    part("leave").hidden = open.kind === "public";
    part("leave").textContent = open.kind === "room" ? "Leave" : "Close";
    part("about-person").hidden = open.kind !== "private" || open.people.length !== 1;
    const invitable = open.kind === "private" ? this.#present().filter(([id]) => !open.people.includes(id)) : [];
    part("invite").hidden = invitable.length === 0;
    this.#screen.side.invitable(invitable);
    part("older").hidden = !open.more && part("log").children.length >= open.lines.length;
    this.#screen.composer.show(open, open.kind === "public" ? "Say something to everybody" : `Say something to ${title}`);
  }

  #aboutOf({ kind, room, people, topic }) {
    if (kind === "public") return "Signed by whoever says it, and read by everybody.";
    if (kind === "room") {
      const guests = new Set(this.home.rooms.guests(room).map(({ key }) => key)).size;
      const about = topic ? `${topic.slice(0, 300)}. ` : "";
      return `${about}${guests === 1 ? "1 guest" : `${guests} guests`}. Passed on, and kept, by the servers.`;
    }
    const away = people.filter((id) => id !== this.home.id && !this.home.directory.isPresent(id));
    const sealed = "Sealed: nobody else can read this, the servers included.";
    return away.length === 0 ? sealed : `${sealed} Not here: ${away.map((id) => this.names.of(id)).join(", ")}.`;
  }
}
