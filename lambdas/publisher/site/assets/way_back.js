// Where a visitor goes after waiting: to the guarded page that was asked for, and to no other path of the site.
// This page is the site's own, so that the browser sends every cookie along; domain/gate/way_back.py is its twin.
import { safePath } from "./api.js";

/** What some server reads otherwise; the server's own check knows better, here it leads to the landing path. */
const UNCLEAR = /[%;\\?#&+\u0000-\u001f\u007f]|\/\/|\/\.|\.\//;

/**
 * `to` if it is a path of this site that the zone guards, else the zone's landing path.
 * @param {string | null} to as found in the address
 * @param {{landing_path: string, guards: {paths: string[], excludes: string[], ignore_case: boolean}[]}} facts
 */
export function wayBack(to, facts) {
  const path = safePath(to, facts.landing_path);
  const plain = decoded(new URL(path, location.origin).pathname);
  // A page that was written before it knew what is guarded leads to the landing path.
  const guarded = !UNCLEAR.test(plain) && (facts.guards ?? []).some((rule) => guards(rule, plain));
  return guarded ? path : facts.landing_path;
}

function guards({ paths, excludes, ignore_case: ignoreCase }, path) {
  const fold = (text) => (ignoreCase ? text.toLowerCase() : text);
  const fits = (pattern) => fitsPattern(fold(decoded(pattern)), fold(path));
  return paths.some(fits) && !excludes.some(fits);
}

function fitsPattern(pattern, path) {
  const bare = (text) => text.replace(/\/$/, "");
  if (pattern.startsWith("=")) return bare(path) === bare(pattern.slice(1));
  const [first, ...others] = pattern.split("*");
  if (!others.length) return `${bare(path)}/`.startsWith(`${bare(pattern)}/`);
  return [path, `${path}/`, bare(path)].some((text) => fitsGlob(first, others, text));
}

/** The literal parts of a glob in their order; each as early as it comes, so that nothing is tried twice. */
function fitsGlob(first, others, text) {
  const last = others[others.length - 1];
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  const inner = text.slice(0, text.length - last.length);
  let at = first.length;
  for (const part of others.slice(0, -1)) {
    const found = inner.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return true;
}

function decoded(text) {
  try {
    return decodeURIComponent(text).normalize("NFKC");
  } catch {
    return "%";
  }
}
