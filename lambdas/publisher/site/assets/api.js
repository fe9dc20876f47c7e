/** The few requests a waiting browser makes. Only `status` is made again and again, and it ends at the CDN. */

import { isChallenge, solveAt } from "./challenged.js";
import { fetchWithin } from "./timed.js";

const PREFIX = "/.waiting-room";
const TIMEOUT_MS = 10_000;

/** What stands for an answer where there was none. */
export const NO_ANSWER = Object.freeze({ code: 0, body: null, problem: "", retrySec: 0 });

/** A fault of the page itself is like no answer: it is asked again, and nobody stands here for ever. */
export function unforeseen(error) {
  console.error(error);
  return NO_ANSWER;
}

/**
 * @typedef {object} Answer
 * @property {number} code HTTP status, 0 when there was no answer
 * @property {any} body parsed JSON, null when there was none
 * @property {string} problem last part of the problem type, "" when there was none
 * @property {number} retrySec from Retry-After or `retry_after_sec`, 0 when not said
 */

export class Api {
  #clock;
  #zone;
  #statusUrl;
  #awayKey;

  /** @param {string} zoneId @param {import("./clock.js").ServerClock} clock */
  constructor(zoneId, clock) {
    this.#clock = clock;
    this.#zone = `${PREFIX}/v1/zones/${zoneId}`;
    this.#awayKey = `foyer.away.${zoneId}`;
    this.#statusUrl = `${PREFIX}/status/${zoneId}.json`;
  }

  /** The place this browser has; 401 when it has none. */
  place() {
    return this.#ask("GET", `${this.#zone}/visitors/me`);
  }

  /** Join the line; asked twice it gives the same place. @param {object | undefined} body what the visitor brings */
  join(body) {
    return this.#ask("POST", `${this.#zone}/visitors`, true, body);
  }

  /** Ask to be let in: 201 with the access cookie set, or 202 "not yet". @param {object | undefined} body a proof */
  claim(body) {
    return this.#ask("POST", `${this.#zone}/access-tokens`, true, body);
  }

  /** The zone's status document, the same for everybody. */
  async status() {
    const answer = await this.#ask("GET", this.#statusUrl, false);
    if (answer.body?.updated_at_ms) this.#clock.atLeast(answer.body.updated_at_ms);
    return answer;
  }

  /** A link that moves the place to another device. */
  link() {
    return this.#ask("POST", `${this.#zone}/visitors/me/links`);
  }

  /** Be told by telephone. @param {{channel: string, number: string, consent: boolean, language: string}} asked */
  alert(asked) {
    return this.#ask("POST", `${this.#zone}/visitors/me/alerts`, true, asked);
  }

  /** Do not be told. */
  cancelAlert() {
    return this.#ask("DELETE", `${this.#zone}/visitors/me/alerts`);
  }

  /** Have a code sent to a phone. @param {{channel: string, number: string}} asked */
  sendCode(asked) {
    return this.#ask("POST", `${this.#zone}/visitors/me/codes`, true, asked);
  }

  /** Confirm a phone. @param {{number: string, code: string}} asked */
  verifyPhone(asked) {
    return this.#ask("POST", `${this.#zone}/visitors/me/phone`, true, asked);
  }

  /** Take over a place that was shown to be one's own. @param {string} token */
  move(token) {
    return this.#ask("POST", `${this.#zone}/moves`, true, { token });
  }

  /** The server's time, epoch milliseconds. */
  now() {
    return this.#clock.now();
  }

  /** Say that the page was left; nobody waits for the answer. */
  away() {
    if (!navigator.sendBeacon?.(`${this.#zone}/visitors/me/away`)) return;
    try {
      localStorage.setItem(this.#awayKey, "1");
    } catch {
      // The return is then not told: it only counts.
    }
  }

  /** Say that a page that was left is here again, once. */
  back() {
    try {
      if (!localStorage.getItem(this.#awayKey)) return;
      localStorage.removeItem(this.#awayKey);
      navigator.sendBeacon?.(`${this.#zone}/visitors/me/back`);
    } catch {
      // Nothing was remembered.
    }
  }

  /** The address that lets a called visitor in and takes everybody else back in line. @param {string} to */
  enterUrl(to) {
    return `${this.#zone}/enter?to=${encodeURIComponent(to)}`;
  }

  /** @returns {Promise<Answer>} */
  async #ask(method, url, fresh = true, asked = undefined) {
    const sentAt = Date.now();
    const sent = {
      method,
      headers: { accept: "application/json", ...(asked && { "content-type": "application/json" }) },
      body: asked && JSON.stringify(asked),
    };
    try {
      return await fetchWithin(TIMEOUT_MS, url, sent, async (response) => {
        if (isChallenge(response)) {
          solveAt(this.enterUrl(new URLSearchParams(location.search).get("to") ?? ""));
          return NO_ANSWER;
        }
        const answer = answered(response, await response.text());
        // Somebody on the way said "200" with a page of their own, a site's error page or a hotel's login: no answer.
        if (response.ok && response.status !== 204 && answer.body === null) return NO_ANSWER;
        this.#clock.observe(sentAt, response, fresh);
        return answer;
      });
    } catch {
      return NO_ANSWER;
    }
  }
}

/** @returns {Answer} */
function answered(response, text) {
  const told = parsed(text);
  return {
    code: response.status,
    body: told,
    problem: String(told?.type ?? "").split(":").pop(),
    retrySec: Number(response.headers.get("retry-after") ?? told?.retry_after_sec) || 0,
  };
}

/** A JSON document, null for anything else: some answers have none, and a page of somebody on the way is none. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Where the visitor wants to go: a path of this site, never another host and never the waiting room itself.
 * @param {string | null} to as found in the address
 * @param {string} otherwise used when `to` is not safe
 */
export function safePath(to, otherwise) {
  if (!to || !/^\/(?![/\\])[^\\\u0000-\u001f\u007f]*$/.test(to)) return otherwise;
  const url = new URL(to, location.origin);
  const inside = decodeURIComponentOr(url.pathname, "//").toLowerCase();
  if (url.origin !== location.origin || inside.includes("//") || `${inside}/`.startsWith(`${PREFIX}/`)) return otherwise;
  return to;
}

function decodeURIComponentOr(text, otherwise) {
  try {
    return decodeURIComponent(text);
  } catch {
    return otherwise;
  }
}
