/** Puts a picture of the line on the page. Elements stay the same ones throughout, so that focus is never lost. */

import { HOLDS_A_PLACE } from "./line.js";
import { Look } from "./look.js";
import { markdown, plain } from "./markdown.js";
import { Spoken } from "./spoken.js";
import { Steady } from "./steady.js";

const SHOWS_ESTIMATE = new Set(["waiting", "next", "paused", "locked", "shut", "shut_called"]);
const YOUR_TURN = new Set(["called", "preparing", "entering"]);
const ON_TICKET = new Set([...SHOWS_ESTIMATE, ...YOUR_TURN, "before", "unopened", "ready", "phone"]);
const IS_HELD = new Set(["ready", "phone"]);

/**
 * @typedef {object} Picture everything the page shows at one moment
 * @property {string} state
 * @property {number | null} position
 * @property {{number: number, url: string} | null} drawn
 * @property {number | null} ahead
 * @property {{low_sec: number, high_sec: number} | null} estimate
 * @property {number} progress 0 to 1
 * @property {number} measuredAtMs when the numbers were measured, 0 when not known
 * @property {number} startsAtMs 0 without a start
 * @property {number} startsInSec Infinity without a start
 * @property {number} opensAtMs when the line opens, 0 when it is always open
 * @property {number} nowMs server's time
 * @property {number} heldForSec how long a called place is held yet
 * @property {boolean} phoneNeeded whether a phone number is to be confirmed
 * @property {string} notice name of a notice, "" for none
 * @property {string} actionUrl
 * @property {string} event
 * @property {string} message
 * @property {{logo_url?: string, accent?: string, cards?: any[]}} page the organiser's look
 * @property {{message?: string, cards?: any[]}} forLane what is said to the visitor's lane alone
 * @property {Record<string, {title?: string, message?: string}>} translations of event and message
 * @property {string} pictureUrl
 */

export class View {
  #facts;
  #words;
  #spoken;
  #picture = "";
  #steady = new Steady();
  #look = new Look();

  /** @param {any} facts @param {import("./words.js").Words} words */
  constructor(facts, words) {
    this.#facts = facts;
    this.#words = words;
    this.#spoken = new Spoken(words);
    this.#label();
    const image = element("picture");
    image.addEventListener("error", () => {
      if (image.getAttribute("src") !== facts.default_picture) image.src = facts.default_picture;
    });
  }

  get words() {
    return this.#words;
  }

  /** It is the visitor's turn. @param {import("./options.js").Options} options @param {string} state */
  call(options, state) {
    const { headline, lead } = this.#words.state(state);
    options.call(headline, lead);
  }

  /** Say everything in another language from now on. @param {import("./words.js").Words} words */
  speak(words) {
    this.#words = words;
    this.#spoken.speak(words);
    this.#label();
  }

  /** The visitor chose another language. @param {import("./words.js").Words} words */
  choose(words) {
    this.speak(words);
    element("languages").open = false;
    element("language-summary").focus();
  }

  /** What no picture of the line changes: language, direction, labels. */
  #label() {
    const words = this.#words;
    document.documentElement.lang = words.language;
    document.documentElement.dir = words.direction;
    element("ticket").setAttribute("aria-label", words.say("labels", "ticket"));
    element("progress").setAttribute("aria-label", words.say("labels", "progress"));
    for (const name of ["place", "estimate", "message", "cards", "language", "move"]) {
      text(`${name}-label`, words.say("labels", name));
    }
    text("go-in", words.state("entering").action);
    for (const name of ["options", "sound", "vibration", "notification", "ask_first"]) {
      text(`${name}-label`, words.say("labels", name));
    }
    for (const name of ["alert", "alert_sms", "alert_voice", "alert_number", "alert_consent"]) {
      text(`${name}-label`, words.say("labels", name));
    }
    text("alert-ask", words.say("labels", "alert_ask"));
    text("alert-cancel", words.say("labels", "alert_cancel"));
    text("move-make", words.say("labels", "move_make"));
    element("move-link").setAttribute("aria-label", words.say("labels", "move_link"));
    text("fallback", words.say("labels", "without_scripts"));
    text("language-name", words.name);
    for (const link of document.querySelectorAll("[data-language]")) {
      if (link.dataset.language === words.language) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }

  /** @param {Picture} picture */
  show(picture) {
    const { state } = picture;
    const words = this.#words.state(state);
    document.documentElement.dataset.state = state;
    const own = picture.translations?.[this.#words.language];
    const event = own?.title || picture.event;
    const message = picture.forLane?.message || own?.message || picture.message;
    text("event", event);
    text("headline", words.headline);
    text("lead", words.lead);
    this.#showNotice(picture);
    this.#showTicket(picture);
    this.#showAction(words.action, picture.actionUrl);
    markdown(element("message-text"), message);
    show("message", plain(message) !== "");
    this.#look.show(picture.page ?? {}, picture.forLane?.cards ?? own?.cards ?? picture.page?.cards ?? []);
    this.#showPicture(picture.pictureUrl);
    text("kept", this.#kept());
    show("kept", HOLDS_A_PLACE.has(state));
    show("move", HOLDS_A_PLACE.has(state));
    show("alert", this.#facts.alerts && HOLDS_A_PLACE.has(state));
    if (this.#facts.phone) this.#showPhone(picture);
    show("options", HOLDS_A_PLACE.has(state) || state === "ready");
    show("go-in", state === "ready");
    document.title = this.#title({ ...picture, event }, words.headline);
    const sentence = this.#spoken.next({ ...picture, message: plain(message) });
    if (sentence) text("spoken", sentence);
  }

  #showNotice({ notice, measuredAtMs }) {
    text("notice", notice ? this.#words.say("notices", notice, { time: this.#words.time(measuredAtMs) }) : "");
    show("notice", notice !== "");
  }

  /** Once it is confirmed, what says so stays until it is the visitor's turn. */
  #showPhone({ state, phoneNeeded }) {
    const done = element("phone").dataset.done === "1";
    show("phone", state === "phone" || ((phoneNeeded || done) && HOLDS_A_PLACE.has(state)));
  }

  #showTicket(picture) {
    const { state, position, drawn, ahead, estimate, progress, measuredAtMs, nowMs, heldForSec } = picture;
    const words = this.#words;
    const yourTurn = YOUR_TURN.has(state);
    const opens = state === "unopened";
    const startsAtMs = opens ? picture.opensAtMs : picture.startsAtMs;
    const countsDown = (opens || state === "before") && startsAtMs > 0;
    const held = IS_HELD.has(state);
    const countsPeople = SHOWS_ESTIMATE.has(state) && ahead !== null;
    show("ticket", ON_TICKET.has(state) && (yourTurn || held || countsDown || countsPeople));
    if (held) {
      text("figure", words.timeLeft(heldForSec));
      text("figure-label", words.say("labels", "claim_left"));
    } else if (yourTurn) {
      text("figure", words.say("labels", "now"));
      text("figure-label", words.say("labels", "your_turn"));
    } else if (countsDown) {
      text("figure", words.timeLeft((startsAtMs - nowMs) / 1000));
      text("figure-label", words.say("labels", opens ? "until_open" : "until_start"));
    } else if (countsPeople) {
      text("figure", words.number(ahead));
      text("figure-label", words.count("labels", "ahead", ahead));
    }
    const moving = state === "waiting" || state === "next";
    const wait = moving ? words.wait(estimate) : words.say("estimates", "withheld");
    text("estimate", this.#steady.of(wait, `${words.language}/${moving}/${estimate === null}`, nowMs));
    show("estimate-fact", countsPeople);
    text("place", position === null ? "" : words.number(position + 1));
    show("place-fact", position !== null);
    this.#showDraw(drawn);
    text("starts-label", words.say("labels", opens ? "opens" : "starts"));
    text("starts", countsDown ? words.moment(startsAtMs, nowMs) : "");
    show("starts-fact", countsDown);
    text("measured", words.say("labels", "measured", { time: words.time(measuredAtMs) }));
    show("measured", countsPeople && measuredAtMs > 0);
    show("stub", position !== null || countsDown);
    this.#showProgress(countsPeople || yourTurn || held, yourTurn || held ? 1 : progress);
  }

  #showDraw(drawn) {
    text("drawn-text", drawn ? this.#words.say("labels", "drawn", { number: this.#words.number(drawn.number) }) : "");
    text("drawn-check", this.#words.say("labels", "drawn_check"));
    if (drawn) element("drawn-check").href = drawn.url;
    show("drawn", drawn !== null);
  }

  #showProgress(shown, progress) {
    const percent = Math.floor(progress * 100);
    const bar = element("progress");
    if (bar.value !== percent) {
      bar.value = percent;
      bar.setAttribute("aria-valuetext", this.#words.say("labels", "progress_value", { percent }));
    }
    show("way", shown);
  }

  #showAction(label, url) {
    const link = element("action");
    text("action", label ?? "");
    if (label && link.getAttribute("href") !== url) link.href = url;
    show("action", Boolean(label));
  }

  #showPicture(url) {
    // Compared with what was asked for last: a picture that failed is not asked for again and again.
    if (url === this.#picture) return;
    this.#picture = url;
    if (element("picture").getAttribute("src") !== url) element("picture").src = url;
  }

  #kept() {
    const time = this.#words.heldFor(this.#facts.claim_sec);
    return `${this.#words.say("notices", "kept")} ${this.#words.say("notices", "come_back", { time })}`;
  }

  #title({ state, ahead, event }, headline) {
    const showsAhead = state === "waiting" && ahead !== null;
    const beginning = showsAhead ? this.#words.say("titles", "ahead", { count: this.#words.number(ahead) }) : headline;
    return this.#words.say("titles", "state", { headline: beginning, event });
  }
}

/** @param {string} id */
function element(id) {
  return document.getElementById(id);
}

/** Changes nothing when the text is the same, so that nothing is read out or laid out again. */
function text(id, value) {
  const target = element(id);
  if (target.textContent !== value) target.textContent = value;
}

function show(id, shown) {
  const target = element(id);
  if (target.hidden === shown) target.hidden = !shown;
}
