/** What is said aloud: a new state, a milestone, a new message. Never every poll: that would talk without end. */

const AHEAD = [10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5, 3, 1];
const STARTS_IN_SEC = [1800, 600, 300, 60, 10];
const HELD_SEC = [3600, 60, 30, 10];
const LONGEST_SPOKEN_SEC = 3600;

export class Spoken {
  #words;
  #state = "";
  #message = null;
  #ahead = -1;
  #starts = -1;
  #held = -1;

  /** @param {import("./words.js").Words} words */
  constructor(words) {
    this.#words = words;
  }

  /** Say the rest in another language; nothing is said twice for it. @param {import("./words.js").Words} words */
  speak(words) {
    this.#words = words;
    this.#message = null;
  }

  /** The sentence to say for a picture of the page, or "" when nothing worth it has happened. */
  next({ state, ahead, startsInSec, heldForSec, message }) {
    const parts = [
      this.#newState(state),
      this.#newAhead(state, ahead),
      this.#newStart(state, startsInSec),
      this.#newHold(state, heldForSec),
    ];
    if (this.#message !== null && message && message !== this.#message) {
      parts.push(this.#words.say("spoken", "message", { message }));
    }
    this.#message = message;
    return parts.filter(Boolean).join(" ");
  }

  #newState(state) {
    // "You are next" is the milestone of nobody ahead; the place found first is told with its number.
    if (state === this.#state || state === "loading") return "";
    this.#state = state;
    const { headline, lead } = this.#words.state(state);
    return `${headline}. ${lead}`;
  }

  #newAhead(state, ahead) {
    if (state !== "waiting" || ahead === null) return "";
    const reached = AHEAD.filter((mark) => mark >= ahead).length;
    if (reached <= this.#ahead) return "";
    this.#ahead = reached;
    return this.#words.count("spoken", "ahead", ahead);
  }

  #newHold(state, heldForSec) {
    if (state !== "ready") this.#held = -1;
    if (state !== "ready") return "";
    const reached = HELD_SEC.filter((mark) => mark >= heldForSec).length;
    if (reached <= this.#held) return "";
    this.#held = reached;
    return this.#words.say("spoken", "claim_left", { time: this.#words.heldFor(Math.ceil(heldForSec)) });
  }

  #newStart(state, startsInSec) {
    if (state !== "before" || !(startsInSec > 0 && startsInSec < Infinity)) return "";
    const reached = STARTS_IN_SEC.filter((mark) => mark >= startsInSec).length;
    if (reached <= this.#starts) return "";
    this.#starts = reached;
    if (startsInSec > LONGEST_SPOKEN_SEC) return "";
    if (startsInSec > 50) return this.#words.count("spoken", "starts_minutes", Math.ceil(startsInSec / 60));
    return this.#words.say("spoken", "starts_seconds", { count: Math.ceil(startsInSec) });
  }
}
