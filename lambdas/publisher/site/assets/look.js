/** The organiser's look: logo, colour and cards, changed while the page is open. */

import { markdown } from "./markdown.js";

export class Look {
  #shown = "";

  /** @param {{logo_url?: string, accent?: string}} page @param {{title: string, text: string, url?: string}[]} cards */
  show(page, cards) {
    const wanted = JSON.stringify([page, cards]);
    if (wanted === this.#shown) return;
    this.#shown = wanted;
    const logo = element("logo");
    const url = ownAddress(page.logo_url);
    if (url && logo.getAttribute("src") !== url) logo.src = url;
    element("brand").hidden = !url;
    this.#paint(page.accent);
    element("cards-list").replaceChildren(...cards.map(card));
    element("cards").hidden = cards.length === 0;
  }

  #paint(accent) {
    const { style } = document.documentElement;
    const valid = /^#[0-9a-f]{6}$/.test(accent ?? "");
    const ink = valid && inkOn(accent);
    for (const [name, value] of [["ticket", accent], ["ticket-ink", ink], ["ticket-soft", ink], ["fill", ink]]) {
      if (valid) style.setProperty(`--own-${name}`, value);
      else style.removeProperty(`--own-${name}`);
    }
  }
}

/**
 * Black or white, whichever has more contrast (WCAG 2.2, relative luminance); the better one always has 4.5 : 1.
 * @param {string} colour #rrggbb
 */
export function inkOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) ? "#000000" : "#ffffff";
}

function card({ title, text, url }) {
  const [item, heading, words] = ["li", "h3", "div"].map((name) => document.createElement(name));
  const address = ownAddress(url);
  if (address) {
    const link = document.createElement("a");
    Object.assign(link, { href: address, target: "_blank", rel: "noopener", textContent: title });
    heading.append(link);
  } else {
    heading.textContent = title;
  }
  markdown(words, text);
  item.append(heading, words);
  return item;
}

/** A path of this site or an https address, else nothing. */
function ownAddress(url) {
  return /^(https:\/\/|\/(?![/\\]))/.test(url ?? "") ? url : "";
}

const element = (id) => document.getElementById(id);
