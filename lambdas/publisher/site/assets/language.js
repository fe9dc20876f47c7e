/** Which language the page speaks: the one chosen before, else the best the browser asks for. */

import { fetchWithin } from "./timed.js";

const TIMEOUT_MS = 10_000;
const COOKIE = "foyer-language";
const REGIONS = { cn: "hans", sg: "hans", my: "hans", tw: "hant", hk: "hant", mo: "hant" };

/**
 * The language that serves a tag such as `pt-BR` or `zh-CN`; null where its readers would not read ours.
 * `matching` in http/page/languages.py decides the same for pages without scripts.
 * @param {string} tag @param {string[]} languages
 */
export function matching(tag, languages) {
  const [primary, ...subtags] = tag.toLowerCase().replaceAll("_", "-").split("-");
  if (primary !== "zh") return languages.includes(primary) ? primary : null;
  const scripts = subtags.map((each) => REGIONS[each] ?? each).filter((each) => each === "hans" || each === "hant");
  return (scripts[0] ?? "hans") === "hans" ? "zh-Hans" : null;
}

/** @param {string[]} languages those there are, the default first */
export function chosenLanguage(languages) {
  const chosen = new RegExp(`(?:^|; )${COOKIE}=([^;]*)`).exec(document.cookie)?.[1];
  if (languages.includes(chosen)) return chosen;
  for (const tag of navigator.languages ?? []) {
    const found = matching(tag, languages);
    if (found) return found;
  }
  return languages[0];
}

/** Remember a choice for a year, on the waiting room's pages only. @param {string} language */
export function remember(language) {
  document.cookie = `${COOKIE}=${language}; Max-Age=31536000; Path=/.waiting-room; Secure; SameSite=Lax`;
}

/** The texts of a language; those at hand when they cannot be had. */
export async function textsOf(language, atHand) {
  if (language === atHand.language) return atHand;
  try {
    const url = `/.waiting-room/assets/texts/${language}.json`;
    return await fetchWithin(TIMEOUT_MS, url, {}, (response) => (response.ok ? response.json() : atHand));
  } catch {
    return atHand;
  }
}
