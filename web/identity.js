/*
 * Who we are: one private key, which signs and opens. It can be written to a file and read from one, in the form of the
 * keyring of `kith chat`, so that one person is the same there, in another browser, and at another door.
 */

import { pem, pemBody, readKey, OAEP } from "./keys.js";
import { LARGEST_KEYRING } from "./limits.js";

const PSS = { name: "RSA-PSS", hash: "SHA-256" };
const NEW_KEY = { ...PSS, modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) };
const VERSION = 1;
const LABEL = "PRIVATE KEY";

/** A new key, as PKCS#8. */
export async function makeKey() {
  const pair = await crypto.subtle.generateKey(NEW_KEY, true, ["sign", "verify"]);
  return new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
}

/** The identity of whoever has this PKCS#8, or null if it is no key that the protocol allows. */
export async function identityOf(pkcs8) {
  try {
    const use = (algorithm, what, extractable) =>
      crypto.subtle.importKey("pkcs8", pkcs8, algorithm, extractable, [what]);
    const [signer, opener] = [await use(PSS, "sign", true), await use(OAEP, "decrypt", false)];
    // A browser tells the public half of a private key only in this form.
    const { kty, n, e } = await crypto.subtle.exportKey("jwk", signer);
    const verifier = await crypto.subtle.importKey("jwk", { kty, n, e }, PSS, true, ["verify"]);
    const spki = new Uint8Array(await crypto.subtle.exportKey("spki", verifier));
    const key = await readKey(pem("PUBLIC KEY", spki, false));
    // In the words of the browser, so that the same key is the same bytes wherever its file was written.
    const own = new Uint8Array(await crypto.subtle.exportKey("pkcs8", signer));
    return key && { pkcs8: own, key, id: key.id, pem: pem("PUBLIC KEY", key.spki, false), signer, opener };
  } catch {
    return null;
  }
}

export async function sign(identity, text) {
  return new Uint8Array(await crypto.subtle.sign({ name: "RSA-PSS", saltLength: 32 }, identity.signer, text));
}

/** What was sealed for us with RSA alone, or null. */
export async function unwrap(identity, wrapped) {
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: "RSA-OAEP" }, identity.opener, wrapped));
  } catch {
    return null;
  }
}

/** The file of a keyring. */
export const writeKeyring = ({ pkcs8 }) =>
  `${JSON.stringify({ version: VERSION, private_key: `${pem(LABEL, pkcs8, true)}\n` }, null, 2)}\n`;

/** The identity in the file of a keyring; otherwise a word about what is wrong with it. */
export async function readKeyring(file) {
  if (file.length > LARGEST_KEYRING) return { problem: "it is too large" };
  let content;
  try {
    content = JSON.parse(file);
  } catch {
    return { problem: "it is no JSON" };
  }
  if (content?.version !== VERSION) return { problem: `it has another version than ${VERSION}` };
  if (content.user !== undefined) return { problem: "it is the keyring of another protocol" };
  const pkcs8 = typeof content.private_key === "string" ? pemBody(content.private_key) : null;
  const identity = pkcs8 && (await identityOf(pkcs8));
  return identity ? { identity } : { problem: "there is no RSA key of 2048 bits in it" };
}
