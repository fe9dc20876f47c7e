/** How often to ask: quickly near the front, rarely far back, and never all at the same moment. */

const STANDSTILL_SEC = 5;
const SETTLED_SEC = 60;
const HIDDEN_FACTOR = 2.5;
const WAY_BETWEEN_LOOKS = 2 / 3;
const LONGEST_BACKOFF_SEC = 30;
// With a connection open the call comes by itself, and the numbers may be a little older.
const PUSHED_FACTOR = 2;
const PUSH_BEFORE_START_SEC = 120;
// Whoever is called sooner looks every two seconds by then, and would hardly have the connection before the call.
const PUSH_WORTH_SEC = 20;

const MOVING = new Set(["waiting", "next", "called", "phone", "ready", "preparing", "entering", "starting", "placing", "loading"]);
// While the door is shut connections stay: opened anew all at once, they would be more than an account takes.
const WAITS_FOR_CALL = new Set(["starting", "waiting", "next", "shut"]);
// Sold out and ended too: an operator may open again, and whoever still waits must not sleep through the call.
const STANDING = new Set(["paused", "locked", "locked_inside", "shut", "shut_called", "before", "unopened", "sold_out", "ended"]);
const COUNTS_DOWN = new Set(["before", "unopened"]);

/**
 * Seconds until the status document is read again.
 * @param {object} now
 * @param {string} now.state what the page shows
 * @param {number | null} now.ahead people ahead, null when not known
 * @param {number} now.speed people called per second
 * @param {number} now.startsInSec seconds until the start, or until the line opens, Infinity without one
 * @param {boolean} now.hidden whether nobody looks
 * @param {boolean} now.pushed whether a connection tells of the call
 * @param {number} now.heldSec how long a called place is held
 * @param {{near_sec: number, far_sec: number, near_ahead: number}} poll
 * @param {number} random in [0, 1)
 */
export function pollDelaySec({ state, ahead, speed, startsInSec, hidden, pushed, heldSec }, poll, random) {
  // No difference between near and far: the last tickets are going, and everybody is to hear of it at once.
  const hurried = poll.far_sec === poll.near_sec;
  const near = poll.near_sec * (hurried ? 0.5 + random / 2 : 0.75 + random / 2);
  const far = hurried ? near : poll.far_sec * (1 + random);
  // A place that has lapsed may be given back, and is then held no longer than any other.
  if (state === "lapsed") return Math.min(Math.max(far, SETTLED_SEC), Math.max(poll.near_sec, heldSec / 2));
  if (!MOVING.has(state) && !STANDING.has(state)) return Math.max(far, SETTLED_SEC);
  const isNear = ahead === null || ahead <= poll.near_ahead;
  let delay = far;
  if (MOVING.has(state)) {
    // Further back: look again when two thirds of the way to "near" should be done.
    const untilNear = isNear ? 0 : (ahead - poll.near_ahead) / (speed || Number.EPSILON);
    delay = isNear ? near : Math.min(far, Math.max(near, untilNear * WAY_BETWEEN_LOOKS));
  } else if (isNear && !COUNTS_DOWN.has(state)) {
    delay = Math.min(far, STANDSTILL_SEC * (0.75 + random / 2));
  }
  if (hidden) delay *= HIDDEN_FACTOR;
  if (pushed && !hurried) delay *= PUSHED_FACTOR;
  // Limits may be raised at any moment: nobody who is here may be called and passed over between two looks.
  delay = Math.min(delay, Math.max(poll.near_sec, heldSec / 2));
  // Nobody sleeps through the start, yet not everybody asks in its first second.
  return startsInSec > 0 && startsInSec < delay ? startsInSec + random * poll.near_sec : delay;
}

/**
 * Whether a connection is worth having: inside the push window, while the call may come.
 * @param {string} state
 * @param {number | null} ahead
 * @param {number} startsInSec
 * @param {number} pushWindow most people ahead of somebody who has one
 * @param {number} speed people called per second
 * @param {boolean} pushed whether there is one already: it stays to the end
 */
export function wantsPush(state, ahead, startsInSec, pushWindow, speed, pushed) {
  if (ahead === null || ahead > pushWindow || pushWindow === 0) return false;
  if (!pushed && ahead + 1 < speed * PUSH_WORTH_SEC) return false;
  return WAITS_FOR_CALL.has(state) || (state === "before" && startsInSec < PUSH_BEFORE_START_SEC);
}

/**
 * Seconds to wait after failures in a row: doubling, spread by half, never sooner than the server asks for.
 * @param {number} failures from 1
 * @param {number} random in [0, 1)
 * @param {number} [retrySec]
 */
export function backoffSec(failures, random, retrySec = 0) {
  return Math.max(retrySec, Math.min(LONGEST_BACKOFF_SEC, 2 ** (failures - 1))) * (1 + random / 2);
}
