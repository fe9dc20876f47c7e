/**
 * The organiser's text as elements: what `domain/markdown.py` says is meant, made node by node. No HTML is ever read.
 *
 * @typedef {string | {kind: string, children: Part[], href?: string}} Part
 */

const ITEM = /^(?:([-*])|[0-9]{1,3}\.) +(\S.*)$/;
const INLINE = new RegExp(
  [
    String.raw`\\([\\*\[\]()-])`,
    String.raw`\*\*([^\s*]|[^\s*].*?[^\s\\]|\*[^\s*].*?\*)\*\*(?!\*)`,
    String.raw`\*([^\s*]|[^\s*].*?[^\s*\\])\*(?!\*)`,
    String.raw`\[([^\[\]]+)\]\((https:\/\/[A-Za-z0-9][!#-&*-;=?-Z_a-z~%]*)\)`,
  ].join("|"),
  "g",
);
const UNSEEN = /[\u0000-\u0009\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g;

/** Show a text in an element, touching nothing while it is the same. @param {HTMLElement} target @param {string} text */
export function markdown(target, text) {
  if (target.dataset.text === text) return;
  target.dataset.text = text;
  target.replaceChildren(...parse(text).map(made));
}

/** What is read aloud of a text. @param {string} text */
export function plain(text) {
  const lines = parse(text).flatMap((block) => (block.kind === "p" ? [words(block)] : block.children.map(words)));
  return lines.join(" ").trim();
}

/** The blocks of a text. @param {string} text */
export function parse(text) {
  const blocks = [];
  let last = "";
  const cleaned = text.replace(/\r\n?/g, "\n").replace(UNSEEN, " ");
  for (const line of cleaned.split("\n").map((each) => each.trim())) {
    const item = ITEM.exec(line);
    const kind = line === "" ? "" : item ? (item[1] ? "ul" : "ol") : "p";
    if (kind !== "" && kind !== last) blocks.push({ kind, children: [] });
    last = kind;
    const children = blocks.at(-1)?.children;
    if (kind === "p") children.push(...(children.length ? [{ kind: "br", children: [] }] : []), ...inline(line));
    else if (kind !== "") children.push({ kind: "li", children: inline(item[2]) });
  }
  return blocks;
}

/** @returns {Part[]} */
function inline(text, inLink = false) {
  const parts = [];
  let before = "";
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    before += text.slice(end, found.index);
    end = found.index + found[0].length;
    const [whole, escaped, strong, emphasis, label, href] = found;
    if (escaped !== undefined || (label !== undefined && inLink)) {
      before += escaped ?? whole;
      continue;
    }
    if (before) parts.push(before);
    before = "";
    if (label !== undefined) parts.push({ kind: "a", children: inline(label, true), href });
    else parts.push({ kind: strong === undefined ? "em" : "strong", children: inline(strong ?? emphasis, inLink) });
  }
  const rest = before + text.slice(end);
  return rest ? [...parts, rest] : parts;
}

/** @param {Part} part */
function made(part) {
  if (typeof part === "string") return document.createTextNode(part);
  const node = document.createElement(part.kind);
  // A page of its own: nobody loses a place by following a link.
  if (part.kind === "a") Object.assign(node, { href: part.href, target: "_blank", rel: "noopener noreferrer" });
  node.append(...part.children.map(made));
  return node;
}

/** @param {Part} part */
function words(part) {
  return typeof part === "string" ? part : part.kind === "br" ? " " : part.children.map(words).join("");
}
