/** Coming to the line and in: the place this browser has, or a new one, and the work that is asked for them. */

import { NO_ANSWER } from "./api.js";
import { prove } from "./proof.js";

const COOKIE_DOUBT_MS = 60_000;
const STRANGER = { code: 401, body: null, problem: "no-token", retrySec: 0 };

export class Arrival {
  #api;
  #progress;
  #proves;
  #joinedAtMs = -Infinity;
  #afresh = false;
  #works = false;
  #proof;
  #changed;

  /**
   * @param {import("./api.js").Api} api
   * @param {import("./line.js").Progress} progress
   * @param {boolean} proves whether the zone asks newcomers for work
   * @param {() => void} changed called when that work takes longer than usual
   */
  constructor(api, progress, proves, changed) {
    this.#api = api;
    this.#progress = progress;
    this.#proves = proves;
    this.#changed = changed;
  }

  /** Whether the place is a new one although this browser had one before. */
  get afresh() {
    return this.#afresh;
  }

  /** Whether the work before joining takes longer than usual, or could not be done yet. */
  get works() {
    return this.#works;
  }

  /** Ask for the place and join if there is none. @param {boolean} hasPlace @returns {Promise<import("./api.js").Answer>} */
  async find(hasPlace) {
    // A browser that never had a place here need not ask for one first; joining again gives the same place.
    const stranger = !hasPlace && !this.#progress.remembers && this.#joinedAtMs < 0;
    const answer = stranger ? STRANGER : await this.#api.place();
    return isUnknown(answer) ? this.#join(answer) : answer;
  }

  /** Take a new place, for one that is over. @returns {Promise<import("./api.js").Answer>} */
  again() {
    return this.#join({ code: 200 });
  }

  async #join({ code }) {
    // Joined a moment ago and a stranger again: this browser keeps no cookies, and more joining would only burn places.
    const forgotten = code === 401 && Date.now() - this.#joinedAtMs < COOKIE_DOUBT_MS;
    if (forgotten || navigator.cookieEnabled === false) return { ...STRANGER, problem: "no-cookies" };
    const remembered = this.#progress.remembers;
    let answer = await this.#api.join(this.#proves ? { prove: true } : undefined);
    if (answer.problem === "proof-needed") answer = await this.#prove(answer.body.challenge, (body) => this.#api.join(body));
    this.#afresh = answer.code === 201 && remembered;
    if (answer.code === 200 || answer.code === 201) this.#joinedAtMs = Date.now();
    return answer;
  }

  /** Ask to be let in; work that is asked for then counts for some minutes. @returns {Promise<import("./api.js").Answer>} */
  async claim() {
    const answer = await this.#api.claim(this.#proof && { proof: this.#proof });
    if (answer.problem !== "proof-needed") return answer;
    return this.#prove(answer.body.challenge, (body) => this.#api.claim(body));
  }

  /** Ask with the work done; what could not be done in time is like no answer. */
  async #prove(challenge, ask) {
    try {
      this.#proof = await prove(challenge, () => this.#say(true));
    } catch {
      this.#say(true);
      return NO_ANSWER;
    }
    this.#say(false);
    return ask({ proof: this.#proof });
  }

  #say(works) {
    if (works === this.#works) return;
    this.#works = works;
    this.#changed();
  }
}

/** Whether the server does not know this browser: no token, or one from before it joined. */
const OF_STRANGERS = new Set(["no-token", "sign-in", "unknown-visitor"]);
export const isUnknown = ({ problem }) => OF_STRANGERS.has(problem);
