/*
 * Who somebody is, on demand: the whole fingerprint, the home, and the name that the reader gives her.
 */

import { part } from "./dom.js";
import { official } from "./keys.js";
import { short } from "./names.js";

const dialog = part("person");

/** Shows somebody. `talk` knows the names and who is present; `write()` begins to write to her. */
export function showPerson(talk, id) {
  const { names, home } = talk;
  const isMe = id === home.id;
  part("person-title").textContent = isMe ? "You" : names.of(id);
  part("person-fingerprint").textContent = id.match(/.{1,8}/g).join(" ");
  part("person-official").textContent = official(id);
  part("person-home").textContent = home.directory.get(id)?.homes.join(", ") || "not here at the moment";
  part("name-form").hidden = isMe;
  part("person-write").hidden = isMe;
  part("name").value = names.given(id);
  part("name").placeholder = short(id);
  part("name-problem").textContent = "";
  part("name-form").onsubmit = async (event) => {
    event.preventDefault();
    const problem = await talk.call(id, part("name").value.trim());
    part("name-problem").textContent = problem ?? "";
    if (!problem) dialog.close();
  };
  part("person-write").onclick = () => {
    dialog.close();
    talk.turnTo(id);
  };
  part("person-close").onclick = () => dialog.close();
  dialog.showModal();
}

export const closePerson = () => dialog.close();
