/**
 * Some things only the server knows: a place not yet numbered or passed over, or what goes on while the document
 * grows old. It is asked spread out and ever more rarely; being asked also wakes whoever writes the document.
 */

const WITHIN_SEC = 8;
const STALE_SEC = 60;
const DOUBLINGS = 5;

const IS_KEPT_CURRENT = new Set(["starting", "waiting", "next", "paused", "locked", "locked_inside", "shut", "shut_called"]);

export class Doubt {
  #asked = 0;

  /**
   * Seconds until the server is asked, null when there is nothing to ask.
   * @param {boolean} unclear whether the document does not say what became of the place
   * @param {string} state
   * @param {number} stalenessMs how old the document is
   * @param {boolean} underWay whether it is asked already
   */
  delaySec(unclear, state, stalenessMs, underWay) {
    const old = stalenessMs > STALE_SEC * 1000 && IS_KEPT_CURRENT.has(state);
    if (!unclear && !old) this.#asked = 0;
    if (underWay || (!unclear && !old)) return null;
    const doublings = 2 ** Math.min(this.#asked, DOUBLINGS);
    this.#asked += 1;
    const [fromSec, withinSec] = unclear ? [0, WITHIN_SEC] : [STALE_SEC, STALE_SEC];
    return (fromSec + Math.random() * withinSec) * doublings;
  }
}
