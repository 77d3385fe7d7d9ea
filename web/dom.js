/*
 * The few ways in which the page is changed. Whatever others wrote goes in as text: there is no way here to put in markup.
 */

export const part = (id) => document.getElementById(id);

/** A new element with a class, a text, and attributes for `data-`. */
export function element(tag, { className, text, data } = {}) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(data ?? {})) {
    if (value !== null && value !== undefined) made.dataset[name] = value;
  }
  return made;
}

/** Puts these elements into a place in this order, and takes out all others. What stays where it was keeps its focus. */
export function arrange(place, elements) {
  const wanted = new Set(elements);
  for (const child of [...place.children]) if (!wanted.has(child)) child.remove();
  elements.forEach((one, at) => {
    if (place.children[at] !== one) place.insertBefore(one, place.children[at] ?? null);
  });
}

const LINK = /https?:\/\/[^\s<>"]+/gi;
/** What belongs to the sentence around an address. */
const BEHIND = /[.,;:!?'")\]}]+$/;

/** A text in which addresses of web pages are links, and nothing else is. */
export function linked(text) {
  const parts = document.createDocumentFragment();
  let last = 0;
  for (const found of text.matchAll(LINK)) {
    const address = found[0].replace(BEHIND, "");
    if (!URL.canParse(address)) continue;
    parts.append(text.slice(last, found.index));
    const link = element("a", { text: address });
    link.href = address;
    link.rel = "noopener noreferrer";
    link.target = "_blank";
    parts.append(link);
    last = found.index + address.length;
  }
  parts.append(text.slice(last));
  return parts;
}

/** Does something soon, once, however often it was asked for meanwhile. */
export function soon(work) {
  let isPlanned = false;
  return () => {
    if (isPlanned) return;
    isPlanned = true;
    setTimeout(() => {
      isPlanned = false;
      work();
    }, 0);
  };
}
