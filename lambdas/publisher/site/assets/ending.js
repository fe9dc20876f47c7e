/** A refusal that was the last word, as long as it counts. */

import { stateOfProblem } from "./line.js";

const DOUBT_MS = 15_000;
/** A place taken again: the next one comes later, and is then asked for. */
export const TOO_SOON = "too-soon";
// What may come back counts until the status document says so itself.
const MAY_COME_BACK = new Set(["sold_out", "ended"]);

export class Ending {
  #state = "";
  #untilMs = 0;

  /** The state it leads to, "" without one. */
  get state() {
    return Date.now() < this.#untilMs ? this.#state : "";
  }

  /**
   * Take an answer; whether it is the last word, so that asking again would not help.
   * @param {{problem: string}} answer
   */
  take({ problem }) {
    if (problem === TOO_SOON) {
      this.#state = "too_soon";
      this.#untilMs = Infinity;
      return false;
    }
    const state = stateOfProblem(problem);
    if (!state) return false;
    this.#state = state;
    this.#untilMs = MAY_COME_BACK.has(state) ? Date.now() + DOUBT_MS : Infinity;
    return true;
  }

  clear() {
    this.#untilMs = 0;
  }

  /** There is a place: again, if it was lost by being passed over, or at last. */
  revive() {
    if (this.#state === "lapsed" || this.#state === "too_soon") this.clear();
  }
}
