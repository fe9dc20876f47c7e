/** The time between being called and going in. */

const IS_CALLED = new Set(["called", "phone", "ready", "entering"]);
const SHUT = "shut_called";

export class Turn {
  #clock;
  #heldSec;
  #calledAtMs = 0;
  #goesIn = false;

  /** @param {import("./clock.js").ServerClock} clock @param {number} heldSec how long a called place is held */
  constructor(clock, heldSec) {
    this.#clock = clock;
    this.#heldSec = heldSec;
  }

  /**
   * The state with the visitor's wish in it: whoever wants to be asked first is, as long as the place is held.
   * @param {string} state @param {boolean} asksFirst
   */
  state(state, asksFirst) {
    // Once the door opens the turn begins anew, with all of its time; whoever has said to go in need not say it again.
    if (!IS_CALLED.has(state)) this.#calledAtMs = 0;
    if (!IS_CALLED.has(state) && state !== SHUT) this.#goesIn = false;
    return state === "called" && this.asks(asksFirst) ? "ready" : state;
  }

  /** Whether the visitor is still to say so before going in. @param {boolean} asksFirst */
  asks(asksFirst) {
    return asksFirst && !this.#goesIn;
  }

  /** Whether the turn has just begun: true once. */
  begins() {
    if (this.#calledAtMs > 0) return false;
    this.#calledAtMs = this.#clock.now();
    return true;
  }

  goIn() {
    this.#goesIn = true;
  }

  heldForSec() {
    const sinceMs = this.#calledAtMs > 0 ? this.#clock.now() - this.#calledAtMs : 0;
    return Math.max(0, this.#heldSec - sinceMs / 1000);
  }
}
