/*
 * Private letters: closed as the specification says, opened as the world writes them. Programs differ in whether the
 * vector, the wrapped key and the sealed text are bytes or digits of bytes, and in whether the inside is wrapped once
 * more. Nothing is opened without a valid tag.
 */

import { fromBase64, fromHex, text as textOf, utf8 } from "./bytes.js";
import { unwrap } from "./identity.js";
import { wrapperOf } from "./keys.js";
import { isObject, parse } from "./letters.js";
import { MOST_KEYS } from "./limits.js";

const KEY_BYTES = 16;
const VECTOR_BYTES = 16;
const WRAPPED_BYTES = 256;

/** Seals a message for some keys; its author stands first among the participants. */
export async function seal(message, participants, recipients) {
  const plain = utf8(JSON.stringify({ message, participants }));
  const secret = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const vector = crypto.getRandomValues(new Uint8Array(VECTOR_BYTES));
  const key = await crypto.subtle.importKey("raw", secret, "AES-GCM", false, ["encrypt"]);
  const text = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: vector }, key, plain));
  const keys = [];
  for (const recipient of recipients) {
    const wrapped = await crypto.subtle.encrypt({ name: "RSA-OAEP" }, await wrapperOf(recipient), secret);
    keys.push(new Uint8Array(wrapped));
  }
  return { text, vector, keys };
}

/** The participants and the message of a letter that was sealed for us; null if it was not. */
export async function open(identity, letter) {
  const vector = vectorOf(letter.iv);
  const sealed = fromBase64(letter.chat);
  if (!vector || !sealed || !Array.isArray(letter.symm_keys)) return null;
  for (const wrapped of letter.symm_keys.slice(0, MOST_KEYS).map(fromBase64)) {
    if (wrapped?.length !== WRAPPED_BYTES) continue;
    const secret = secretOf(await unwrap(identity, wrapped));
    const plain = secret && (await decrypt(secret, vector, bytesOf(sealed)));
    if (plain) return inside(plain);
  }
  return null;
}

async function decrypt(secret, vector, sealed) {
  try {
    const key = await crypto.subtle.importKey("raw", secret, "AES-GCM", false, ["decrypt"]);
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: vector }, key, sealed));
  } catch {
    return null;
  }
}

/** The key in what was wrapped. Two programs wrap its base64 or its hexadecimal digits. */
function secretOf(wrapped) {
  if (!wrapped || wrapped.length === KEY_BYTES) return wrapped;
  const digits = textOf(wrapped) ?? "";
  const secret = { 24: fromBase64, 32: fromHex }[digits.length]?.(digits);
  return secret?.length === KEY_BYTES ? secret : null;
}

function vectorOf(text) {
  if (typeof text !== "string") return null;
  const vector = (text.length === 2 * VECTOR_BYTES && fromHex(text)) || bytesOf(fromBase64(text) ?? new Uint8Array());
  return vector.length === VECTOR_BYTES ? vector : null;
}

/** The bytes themselves, unless they are digits. Sealed bytes look like digits once in 10^27 times. */
function bytesOf(bytes) {
  if (bytes.length < 2 * VECTOR_BYTES) return bytes;
  const digits = textOf(bytes);
  return (digits !== null && fromHex(digits)) || bytes;
}

function inside(plain) {
  const content = parse(textOf(plain) ?? "");
  const flat = isObject(content) && isObject(content.chat) ? content.chat : content;
  if (!isObject(flat) || typeof flat.message !== "string" || !Array.isArray(flat.participants)) return null;
  if (!flat.participants.every((name) => typeof name === "string")) return null;
  return { participants: flat.participants.slice(0, MOST_KEYS + 1), message: flat.message };
}
