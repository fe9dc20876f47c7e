/** One thing to do later; set again, the old one is forgotten. */
export class Alarm {
  #timer = 0;
  #action = null;

  get isSet() {
    return this.#action !== null;
  }

  /** @param {number} seconds @param {() => void} action */
  set(seconds, action) {
    this.clear();
    this.#action = action;
    this.#timer = setTimeout(() => this.ring(), seconds * 1000);
  }

  /** Do it now instead, if there is anything to do. */
  ring() {
    const action = this.#action;
    this.clear();
    action?.();
  }

  clear() {
    clearTimeout(this.#timer);
    this.#action = null;
  }
}
