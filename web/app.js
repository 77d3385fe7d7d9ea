/*
 * The beginning of the page: whether it can work here at all, who the reader is, and whether it is this tab's turn. Then
 * it ties what she clicks to what is done.
 */

import { Composer } from "./composer.js";
import { arrange, element, part } from "./dom.js";
import { readDoor } from "./doors.js";
import { identityOf, makeKey, readKeyring, writeKeyring } from "./identity.js";
import { LARGEST_KEYRING, MOST_EARLIER_KEYS } from "./limits.js";
import { Log } from "./log.js";
import { Names, short } from "./names.js";
import { Side } from "./side.js";
import { hinder, say } from "./status.js";
import { Store } from "./store.js";
import { Turn } from "./tabs.js";
import { Talk } from "./talk.js";

/** How often the introductions are read while somebody looks at them. */
const LOOK_MS = 3_000;

class App {
  #store;
  #identity;
  #names;
  #talk = null;
  #hasTurn = false;
  #unread = 0;
  #title = "Kith";
  #screen;

  constructor(store, identity, names) {
    this.#store = store;
    this.#names = names;
    this.#screen = {
      log: new Log(names, (line) => this.#talk.sayAgain(line), (id) => this.#talk.showPerson(id)),
      side: new Side(names, (conversation) => this.#open(conversation), (id) => this.#turnTo(id)),
      composer: new Composer((text) => this.#talk.say(text)),
      news: () => this.#news(),
      title: (name) => this.#showTitle(name),
    };
    this.#be(identity);
  }

  /** The reader is this person from now on. */
  #be(identity) {
    this.#talk?.stop();
    this.#identity = identity;
    this.#talk = new Talk(identity, this.#names, this.#store, this.#screen);
    if (this.#hasTurn) this.#talk.start(readDoor(location.origin));
  }

  /** It is this tab's turn. */
  begin() {
    this.#hasTurn = true;
    hinder(null);
    this.#talk.start(readDoor(location.origin));
  }

  /** It is another tab's turn. */
  end() {
    this.#hasTurn = false;
    this.#talk.stop();
    say("taken", "Another tab of this browser is connected");
    const text = "You talk in another tab of this browser. There can be only one at a time.";
    hinder({ title: "Another tab talks", text, canTakeOver: true });
  }

  /** Ties the parts of the page to what they do. */
  listen(turn) {
    const on = (id, event, work) =>
      part(id).addEventListener(event, (happened) => {
        if (event === "submit") happened.preventDefault();
        work(happened);
      });
    on("take-over", "click", () => turn.take());
    on("retry", "click", () => this.#retry());
    on("me", "click", () => this.#talk.showPerson(this.#identity.id));
    on("join-form", "submit", () => this.#enter());
    on("leave", "click", () => this.#talk.leave());
    on("older", "click", () => this.#talk.older());
    on("invite", "change", () => this.#talk.invite(part("invite").value));
    on("about-person", "click", () => this.#talk.showPerson(this.#talk.chat.open.people[0]));
    on("attach", "change", () => this.#attach());
    on("introduce-form", "submit", () => this.#introduce("register"));
    on("introduce-withdraw", "click", () => this.#introduce("withdraw"));
    on("introductions-panel", "toggle", () => this.#look());
    on("export", "click", () => this.#export());
    on("import", "change", () => this.#import());
    on("restore", "click", () => this.#restore());
    on("forget", "click", () => this.#forget());
    on("menu", "click", () => this.#toggleMenu());
    addEventListener("online", () => this.#retry());
    document.addEventListener("visibilitychange", () => this.#seen());
    setInterval(() => this.#look(), LOOK_MS);
    this.#offerEarlier();
  }

  #open(conversation) {
    this.#toggleMenu(false);
    this.#talk.chat.show(conversation);
  }

  #turnTo(id) {
    this.#toggleMenu(false);
    this.#talk.turnTo(id);
  }

  /** On a narrow screen the side is shown when it is asked for. */
  #toggleMenu(isOpen = part("menu").getAttribute("aria-expanded") !== "true") {
    part("menu").setAttribute("aria-expanded", String(isOpen));
    part("side").classList.toggle("open", isOpen);
  }

  #retry() {
    this.#talk.retry(readDoor(location.origin));
  }

  #enter() {
    const room = part("join").value.trim();
    if (room === "") return;
    part("join").value = "";
    this.#toggleMenu(false);
    this.#talk.enter(room);
  }

  #attach() {
    const [file] = part("attach").files;
    if (file) this.#talk.attach(file);
    // The same file can be chosen again.
    part("attach").value = "";
  }

  #introduce(what) {
    const at = part("introduce").value.trim();
    if (at !== "" && this.#talk.isOnline) this.#talk.home.introductions[what](at);
  }

  #look() {
    const isWatched = part("introductions-panel").open && !document.hidden;
    if (isWatched && this.#talk.isOnline && this.#talk.home.offer) this.#talk.home.introductions.look();
  }

  #export() {
    const file = new Blob([writeKeyring(this.#identity)], { type: "application/json" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `kith-${short(this.#identity.id)}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), LOOK_MS);
  }

  async #import() {
    const [file] = part("import").files;
    if (!file) return;
    const text = file.size > LARGEST_KEYRING ? "" : await file.text();
    part("import").value = "";
    const { identity, problem } = await readKeyring(text);
    if (problem) this.#note(`That file was not read: ${problem}.`);
    else if (identity.id === this.#identity.id) this.#note("That is the key that you have already.");
    else await this.#become(identity);
  }

  async #restore() {
    const identity = await this.#chosen();
    if (identity) await this.#become(identity);
  }

  async #forget() {
    const identity = await this.#chosen();
    if (!identity) return;
    const question = `Forget the key ${short(identity.id)}? Without a file of it nobody can be that person ever again.`;
    if (!confirm(question)) return;
    await this.#store.forget(identity.pkcs8);
    await this.#offerEarlier();
  }

  async #become(identity) {
    if (!(await this.#store.use(identity.pkcs8))) {
      const most = `This browser keeps ${MOST_EARLIER_KEYS} earlier keys, and no more`;
      this.#note(`You are still ${short(this.#identity.id)}. ${most}: forget one that you need no longer, or have in a file.`);
      return;
    }
    this.#be(identity);
    this.#note(`You are ${short(identity.id)} now. The key that you had before is kept in this browser.`);
    await this.#offerEarlier();
  }

  async #earlier() {
    const { earlier } = await this.#store.keys();
    return (await Promise.all(earlier.map(identityOf))).filter(Boolean);
  }

  /** The earlier key that is chosen in the list. */
  async #chosen() {
    const id = part("earlier").value;
    return (await this.#earlier()).find((identity) => identity.id === id);
  }

  async #offerEarlier() {
    const earlier = await this.#earlier();
    part("earlier-keys").hidden = earlier.length === 0;
    arrange(part("earlier"), earlier.map(({ id }) => {
      const option = element("option", { text: this.#names.of(id) });
      option.value = id;
      return option;
    }));
  }

  #note(text) {
    this.#talk.chat.note(this.#talk.chat.open, text);
  }

  #news() {
    if (!document.hidden) return;
    this.#unread += 1;
    this.#showTitle(this.#title);
  }

  #seen() {
    if (document.hidden) return;
    this.#unread = 0;
    this.#showTitle(this.#title);
  }

  #showTitle(name) {
    this.#title = name;
    document.title = this.#unread > 0 ? `(${this.#unread}) ${name}` : name;
  }
}

/** The key of this browser, which is made at the first visit. */
async function ownIdentity(store) {
  const { key } = await store.keys();
  const known = key && (await identityOf(key));
  if (known) return known;
  const made = await identityOf(await makeKey());
  await store.use(made.pkcs8);
  return made;
}

async function start() {
  if (!isSecureContext || !crypto.subtle) {
    const text =
      "Browsers let a page seal and sign only if it came over a secure way. Open this page with https://, or on the " +
      "machine of the server itself as http://127.0.0.1. Whoever runs the server can give it a certificate, or put it " +
      "behind a proxy that has one. Or talk with kith chat in a terminal, which needs none of that.";
    say("insecure", "Not connected");
    hinder({ title: "This page cannot keep a secret here", text });
    return;
  }
  let store;
  let identity;
  try {
    store = await Store.open();
    identity = await ownIdentity(store);
  } catch (error) {
    say("offline", "Not connected");
    const text = `It has to remember who you are, and that failed (${error?.message ?? error}). A private window may be why.`;
    hinder({ title: "This browser lets the page keep nothing", text });
    return;
  }
  const app = new App(store, identity, new Names(await store.names()));
  const turn = new Turn(() => app.begin(), () => app.end());
  app.listen(turn);
  turn.ask();
}

start();
