/*
 * One member's session: what to send, and what came in from whom. It outlives connections: its counter goes on, so that
 * people who stayed believe us after a reconnect. An author is only ever named after her own key verified the frame, and
 * no frame is shown twice. Calls must not overlap; whoever owns the session lines them up.
 */

import { Window, BoundedMap } from "./bounded.js";
import { toBase64, utf8 } from "./bytes.js";
import { Directory } from "./directory.js";
import { official, whoseSignature } from "./keys.js";
import { LIST_REQUEST, chatBody, hear, helloBody, publicBody, signed } from "./letters.js";
import { MOST_ECHOES, MOST_WAITING, MOST_WAITING_LETTERS, REPLAY_WINDOW } from "./limits.js";
import { candidates } from "./print.js";
import { open, seal } from "./seal.js";

/** Something cannot be said, in words for people. */
export class SayError extends Error {}

export class Session {
  directory = new Directory();
  /** What servers let pass; a server that says so may allow more or less. */
  limits = { message_bytes: 1 << 20, recipients_per_letter: 256 };
  #identity;
  #nextCounter;
  #seen = new Window(REPLAY_WINDOW);
  #echoes = new BoundedMap(MOST_ECHOES);
  #waiting = [];
  #listIsAskedFor = false;

  /** `nextCounter` gives a number that was never given before for this key, once it is written down. */
  constructor(identity, nextCounter) {
    this.#identity = identity;
    this.#nextCounter = nextCounter;
    this.fingerprint = official(identity.id);
  }

  get id() {
    return this.#identity.id;
  }

  /** What opens a connection, to be sent in this order. Once per connection. */
  async greet() {
    // Others may have come back under the old list; the server vouches for order from here on.
    this.directory.forgetCounters();
    this.#waiting = [];
    this.#listIsAskedFor = true;
    return [await this.#sign(helloBody(this.#identity.pem)), LIST_REQUEST];
  }

  /** A letter for everybody. */
  public(text) {
    return this.#sign(publicBody(this.fingerprint, text));
  }

  /** A letter that only these can read. */
  async private(ids, text) {
    const most = this.limits.recipients_per_letter;
    if (ids.length > most) throw new SayError(`A letter can have ${most} recipients at most.`);
    const recipients = ids.map((id) => this.directory.get(id));
    if (recipients.length === 0 || recipients.some((known) => !known || known.homes.length === 0)) {
      throw new SayError("Not everybody is here at the moment, so this cannot be sealed for all of them.");
    }
    const participants = [this.fingerprint, ...ids.map(official)];
    const sealed = await seal(text, participants, recipients.map(({ key }) => key));
    return this.#sign(chatBody(sealed, alignedHomes(recipients)));
  }

  async #sign(body) {
    // The frame is a little longer than what is signed; base64 and escapes are in there already.
    const counter = await this.#nextCounter();
    const { frame, signature } = await signed(this.#identity, counter, body);
    if (utf8(frame).length > this.limits.message_bytes) throw new SayError("That is too long for one letter.");
    this.#echoes.set(counter, toBase64(signature));
    return frame;
  }

  /** A frame of the server. What follows from it: `{send: frame}`, and events with a `kind`. */
  async receive(frame) {
    const heard = hear(frame);
    if (!heard) return [];
    if (heard.list) return this.#onList(heard.list);
    if (heard.signed) return this.#onSigned(heard.signed, frame.length, true);
    return [{ kind: "complaint", text: heard.complaint }];
  }

  async #onList(list) {
    this.#listIsAskedFor = false;
    const { joined, left } = await this.directory.update(list);
    const others = (ids) => ids.filter((id) => id !== this.id);
    const out = [{ kind: "listed", joined: others(joined), left: others(left) }];
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { message, letters } of waiting) out.push(...(await this.#onSigned(message, letters, false)));
    return out;
  }

  async #onSigned(message, letters, mayWait) {
    const signature = toBase64(message.signature);
    if (this.#echoes.get(message.counter) === signature) {
      const { type, message: text } = message.value;
      return type === "public_chat" ? [{ kind: "echo", text }] : [];
    }
    const claim = await this.#claim(message.value);
    if (!claim) return [];
    const from = await this.directory.recognise(claim.sender);
    if (from) return [await this.#judge(from, message, signature, claim)];
    if (mayWait) {
      const wish = this.#wait(message, letters);
      if (wish) return wish;
    }
    return [doubted(claim, "nobody here has that key")];
  }

  /** What a letter says, if it is one for us. */
  async #claim(letter) {
    if (letter.type === "public_chat") {
      const { sender, message } = letter;
      const fits = typeof sender === "string" && typeof message === "string";
      return fits ? { sender, to: null, text: message } : null;
    }
    const opened = letter.type === "chat" ? await open(this.#identity, letter) : null;
    if (!opened || opened.participants.length === 0) return null;
    const [sender, ...to] = opened.participants;
    return { sender, to, text: opened.message };
  }

  /** Keeps a letter of a stranger until the next list, which may know her; null if there is no room. */
  #wait(message, letters) {
    const kept = this.#waiting.reduce((sum, waiting) => sum + waiting.letters, letters);
    if (this.#waiting.length >= MOST_WAITING || kept > MOST_WAITING_LETTERS) return null;
    this.#waiting.push({ message, letters });
    if (this.#listIsAskedFor) return [];
    this.#listIsAskedFor = true;
    return [{ send: LIST_REQUEST }];
  }

  /** Whether a letter really is of this author, and new. */
  async #judge(from, message, signature, claim) {
    const known = this.directory.get(from);
    const texts = candidates(message, known.form);
    const how = await whoseSignature(known.key, texts, message.signature, known.salt);
    if (!how) return doubted(claim, "the signature is wrong");
    known.form = how.form;
    known.salt = how.salt;
    if (!this.#seen.admit(from + signature)) return { kind: "rejected", from, why: "it was heard before" };
    if (known.counter !== null && message.counter <= known.counter) {
      return { kind: "rejected", from, why: "it is older than what was heard before" };
    }
    known.counter = message.counter;
    if (claim.to === null) return { kind: "public", from, text: claim.text };
    const to = [];
    let strangers = 0;
    for (const name of claim.to) {
      const id = name === this.fingerprint ? this.id : await this.directory.recognise(name);
      if (id) to.push(id);
      else strangers += 1;
    }
    return { kind: "private", from, to, strangers, text: claim.text };
  }
}

function doubted({ sender, to, text }, why) {
  return { kind: "unverified", claimed: sender, isPrivate: to !== null, text, why };
}

/** One home per recipient, in their order; then the further homes of those who have several. */
function alignedHomes(recipients) {
  const aligned = recipients.map(({ homes }) => homes[0]);
  for (const home of recipients.flatMap(({ homes }) => homes.slice(1))) {
    if (!aligned.includes(home)) aligned.push(home);
  }
  return aligned;
}
