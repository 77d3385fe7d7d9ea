/*
 * Bytes and the texts that mean them: base64, hexadecimal digits, UTF-8, SHA-256. Texts of strangers are read
 * strictly: what is no such text is null, never something similar.
 */

const encoder = new TextEncoder();

export const utf8 = (text) => encoder.encode(text);

/** The text in these bytes, or null if they are no UTF-8. */
export function text(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

export function toBase64(bytes) {
  let letters = "";
  for (let at = 0; at < bytes.length; at += 0x2000) {
    letters += String.fromCharCode(...bytes.subarray(at, at + 0x2000));
  }
  return btoa(letters);
}

/** Padded base64 and nothing around it. */
export function fromBase64(text) {
  if (typeof text !== "string" || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  let letters;
  try {
    letters = atob(text);
  } catch {
    return null;
  }
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at += 1) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

export const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export function fromHex(digits) {
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return null;
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) => parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

export const sha256Hex = async (text) => toHex(await sha256(utf8(text)));

export function isEqual(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
