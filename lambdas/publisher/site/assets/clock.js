/**
 * The server's time, whatever the browser's clock says.
 *
 * Every answer narrows an interval [low, high] for (server time - browser time). When a new bound contradicts the
 * interval, the browser's clock was set or slept through: the interval starts afresh.
 */
export class ServerClock {
  #low = -Infinity;
  #high = Infinity;

  /** @returns {number} the server's time, epoch milliseconds; the browser's own before the first answer */
  now() {
    return Date.now() + this.#offset();
  }

  /**
   * Learn from the Date header, which has whole seconds, cut off.
   * @param {number} sentAt browser time when the request left
   * @param {Response} response
   * @param {boolean} fresh whether it came from the server itself, not from a cache
   */
  observe(sentAt, response, fresh) {
    const date = Date.parse(response.headers.get("date") ?? "");
    if (Number.isNaN(date)) return;
    const ageMs = (Number(response.headers.get("age")) || 0) * 1000;
    this.#narrow(date + ageMs - Date.now(), fresh && !ageMs ? date + 1000 - sentAt : Infinity);
  }

  /** Learn that the server's time is at least this, epoch milliseconds. @param {number} atMs */
  atLeast(atMs) {
    this.#narrow(atMs - Date.now(), Infinity);
  }

  #offset() {
    if (this.#low === -Infinity) return 0;
    return this.#high === Infinity ? Math.max(this.#low, 0) : (this.#low + this.#high) / 2;
  }

  #narrow(low, high) {
    if (low > this.#high || high < this.#low) [this.#low, this.#high] = [low, high];
    this.#low = Math.max(this.#low, low);
    this.#high = Math.min(this.#high, high);
  }
}
