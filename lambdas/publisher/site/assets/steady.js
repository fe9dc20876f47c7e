/** Keeps a text from going back and forth between two wordings while what it tells of wavers at their border. */

const HOLD_MS = 12_000;

export class Steady {
  #text = null;
  #sinceMs = 0;
  #kind = null;

  /**
   * @param {string} text what would be said now
   * @param {string} kind a change of kind is always said at once
   * @param {number} nowMs
   */
  of(text, kind, nowMs) {
    if (kind !== this.#kind || nowMs - this.#sinceMs >= HOLD_MS || nowMs < this.#sinceMs) {
      if (text !== this.#text) this.#sinceMs = nowMs;
      this.#text = text;
      this.#kind = kind;
    }
    return this.#text;
  }
}
