/** The page's texts and its numbers, times and ranges, in the language of the texts. */

const MINUTES_AT_MOST = 90;

export class Words {
  #texts;
  #plural;
  #number;
  #time;
  #shortTime;
  #day;

  /** @param {Record<string, any>} texts groups of texts as the page carries them */
  constructor(texts) {
    this.#texts = texts;
    this.#plural = new Intl.PluralRules(texts.language);
    // One kind of digits throughout: those that server and countdown use.
    this.#number = new Intl.NumberFormat(texts.language, { numberingSystem: "latn", maximumFractionDigits: 1 });
    // Times follow the visitor's own habits (12 or 24 hours) where the browser speaks the language of the texts.
    const own = navigator.language.split("-")[0] === texts.language.split("-")[0];
    const format = (options) =>
      new Intl.DateTimeFormat(own ? undefined : texts.language, { numberingSystem: "latn", ...options });
    this.#time = format({ timeStyle: "medium" });
    this.#shortTime = format({ timeStyle: "short" });
    this.#day = format({ weekday: "short", day: "numeric", month: "short" });
  }

  get language() {
    return this.#texts.language;
  }

  get direction() {
    return this.#texts.direction;
  }

  /** The language's name in itself. */
  get name() {
    return this.#texts.name;
  }

  /** One text with its values filled in. */
  say(group, name, values = {}) {
    return this.#texts[group][name].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
  }

  /** The text whose plural form fits `count`. */
  count(group, name, count) {
    const form = `${name}_${this.#plural.select(count)}`;
    return this.say(group, form in this.#texts[group] ? form : `${name}_other`, { count: this.number(count) });
  }

  /** @returns {{headline: string, lead: string, action?: string}} */
  state(name) {
    return this.#texts.states[name];
  }

  number(value) {
    return this.#number.format(value);
  }

  /** Time of day with seconds. @param {number} atMs */
  time(atMs) {
    return this.#time.format(atMs);
  }

  /** Time of day, with the day unless it is today. @param {number} atMs @param {number} nowMs */
  moment(atMs, nowMs) {
    const time = this.#shortTime.format(atMs);
    const today = new Date(atMs).toDateString() === new Date(nowMs).toDateString();
    return today ? time : `${this.#day.format(atMs)}, ${time}`;
  }

  /** What is left, as on a clock: `4:07`, `1:04:07`, with days in front when there are any. */
  timeLeft(seconds) {
    const left = Math.max(0, Math.ceil(seconds));
    const [days, hours, minutes] = [Math.floor(left / 86400), Math.floor(left / 3600) % 24, Math.floor(left / 60) % 60];
    const two = (part) => String(part).padStart(2, "0");
    const clock = left >= 3600 ? `${hours}:${two(minutes)}` : `${minutes}`;
    return `${days ? `${this.say("labels", "days", { count: days })} ` : ""}${clock}:${two(left % 60)}`;
  }

  /** How long a called place is held. @param {number} seconds */
  heldFor(seconds) {
    if (seconds < 60) return this.say("notices", "kept_seconds", { count: seconds });
    return this.count("notices", "kept_minutes", Math.floor(seconds / 60));
  }

  /** An estimate as a range people use: minutes, later half hours; never more exact than it is. */
  wait(estimate) {
    if (!estimate) return this.say("estimates", "unknown");
    if (estimate.high_sec <= 60) return this.say("estimates", "moment");
    const [low, high] = [Math.floor(estimate.low_sec / 60), Math.ceil(estimate.high_sec / 60)];
    if (high > MINUTES_AT_MOST) return this.#range("hours", Math.floor(low / 30) / 2, Math.ceil(high / 30) / 2);
    const step = high > 30 ? 5 : 1;
    return this.#range("minutes", Math.floor(low / step) * step, Math.ceil(high / step) * step);
  }

  #range(unit, low, high) {
    const name = low <= 0 ? `up_to_${unit}` : low === high ? `same_${unit}` : unit;
    return this.say("estimates", name, { low: this.number(low), high: this.number(high) });
  }
}
