/** "Your turn" without asking: a WebSocket near the front. Whatever happens to it, the polls go on and say the same. */

import { Alarm } from "./alarm.js";

// The account takes 500 new connections a second: those who come near at the same moment must not connect at it.
const SPREAD_SEC = 8;
// API Gateway and CloudFront end a connection that was silent for 10 minutes, and every one after 2 hours.
const HEARTBEAT_SEC = [240, 300];
const LIFE_SEC = [6000, 6600];
// Browsers give a connection up to four minutes to open.
const OPENING_SEC = 20;
const RETRY_SEC = 10;
const LONGEST_RETRY_SEC = 600;

/** A moment drawn from a range. */
const between = ([low, high]) => low + Math.random() * (high - low);

export class Push {
  #url;
  #heard;
  #lost;
  #socket = null;
  #wanted = false;
  #failures = 0;
  #opens = new Alarm();
  #beats = new Alarm();
  #ends = new Alarm();
  #opening = new Alarm();

  /**
   * @param {string} zoneId
   * @param {(message: any) => void} heard a message of the server
   * @param {() => void} lost the connection ended or could not be opened: ask instead
   */
  constructor(zoneId, heard, lost) {
    this.#url = `${location.origin.replace(/^http/, "ws")}/.waiting-room/ws?zone=${zoneId}`;
    this.#heard = heard;
    this.#lost = lost;
  }

  /** Whether messages would come in now. */
  get isOpen() {
    return this.#socket?.readyState === 1;
  }

  /** Whether there is one, or will be. */
  get isWanted() {
    return this.#wanted;
  }

  /** Have a connection, or none; said as often as one likes. @param {boolean} wanted */
  want(wanted) {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    if (wanted) this.#opens.set(Math.random() * SPREAD_SEC, () => this.#open());
    else this.#close();
  }

  #open() {
    if (!globalThis.WebSocket) return;
    const socket = new WebSocket(this.#url);
    const former = this.#socket;
    this.#socket = socket;
    this.#opening.set(OPENING_SEC, () => socket.close());
    socket.onopen = () => {
      this.#opening.clear();
      former?.close();
      this.#failures = 0;
      this.#beat();
      // The next one opens before this one closes, so that no call falls in between.
      this.#ends.set(between(LIFE_SEC), () => this.#open());
      // Whoever was called while it opened was not told.
      this.#lost();
    };
    socket.onmessage = ({ data }) => this.#read(data);
    socket.onclose = () => this.#closed(socket);
  }

  #beat() {
    this.#beats.set(between(HEARTBEAT_SEC), () => {
      if (this.isOpen) this.#socket.send("{}");
      this.#beat();
    });
  }

  #read(data) {
    try {
      this.#heard(JSON.parse(data));
    } catch {
      // Not one of ours.
    }
  }

  #closed(socket) {
    if (socket !== this.#socket || !this.#wanted) return;
    this.#socket = null;
    this.#beats.clear();
    this.#ends.clear();
    this.#opening.clear();
    this.#failures += 1;
    const delay = Math.min(LONGEST_RETRY_SEC, RETRY_SEC * 2 ** (this.#failures - 1));
    this.#opens.set(delay * (0.5 + Math.random()), () => this.#open());
    this.#lost();
  }

  #close() {
    const socket = this.#socket;
    this.#socket = null;
    for (const alarm of [this.#opens, this.#beats, this.#ends, this.#opening]) alarm.clear();
    socket?.close();
  }
}
