/** The course of a visit: find the place, watch the line, come in when called. */

import { Alarm } from "./alarm.js";
import { unforeseen } from "./api.js";
import { Arrival, isUnknown } from "./arrival.js";
import { Departures } from "./departures.js";
import { Doubt } from "./doubt.js";
import { Ending, TOO_SOON } from "./ending.js";
import { Feed } from "./feed.js";
import { HOLDS_A_PLACE, Progress, standing, stateOf } from "./line.js";
import { Options } from "./options.js";
import { backoffSec, pollDelaySec, wantsPush } from "./pace.js";
import { Push } from "./push.js";
import { shown } from "./shown.js";
import { Tabs } from "./tabs.js";
import { Turn } from "./turn.js";
import { wayBack } from "./way_back.js";

// The server tells a place from copies of up to a second, and this browser knows its clock to half a second.
const TOLD_LATE_MS = 2_000;

const COUNTS_DOWN = new Set(["unopened", "before", "starting"]);
const COMES_IN = new Set(["entering", "passing"]);
const JOINS_AGAIN = new Set(["lapsed", "hard_end", "run_over", "left"]);
const IS_SHUT = new Set(["shut", "shut_called"]);
// Those whose claims were refused while the door was shut ask within so long once it opens.
const OPENED_MS = 5_000;

export class Room {
  #facts;
  #to;
  #api;
  #clock;
  #view;
  #progress;
  #departures;
  #tabs;
  #feed;
  #push;
  #options;
  #turn;
  #arrival;
  #doubt = new Doubt();

  #place = null;
  #state = "loading";
  #ending = new Ending();

  #locating = false;
  #claiming = false;
  #claimed = false;
  #leaving = false;
  #saidAway = false;
  #passedOver = false;

  #claimFromMs = 0;
  // When the line opens, as told to somebody who came too early.
  #opensAtMs = 0;
  #failures = { locate: 0, claim: 0 };

  #locateAlarm = new Alarm();
  #claimAlarm = new Alarm();
  #tickAlarm = new Alarm();

  /**
   * @param {any} facts of the zone, as published with the page
   * @param {string | null} to where the visitor wants to go, from the address
   * @param {import("./api.js").Api} api
   * @param {import("./clock.js").ServerClock} clock
   * @param {import("./view.js").View} view
   */
  constructor(facts, to, api, clock, view) {
    this.#facts = facts;
    this.#to = wayBack(to, facts);
    this.#api = api;
    this.#clock = clock;
    this.#view = view;
    this.#progress = new Progress(facts.zone_id);
    this.#arrival = new Arrival(api, this.#progress, facts.proves, () => this.#show());
    this.#departures = new Departures(facts.zone_id);
    this.#tabs = new Tabs(facts.zone_id, (kind, data) => this.#hear(kind, data), () => this.#update());
    this.#feed = new Feed(api, clock, this.#tabs, () => this.#pollDelaySec(), () => this.#update());
    this.#turn = new Turn(clock, facts.claim_sec);
    this.#options = new Options(() => this.#update());
    this.#push = new Push(facts.zone_id, (message) => this.#called(message), () => this.#feed.wake());
  }

  start() {
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake());
    addEventListener("online", () => this.#wake());
    addEventListener("pageshow", (event) => event.persisted && this.#comeBack());
    addEventListener("pagehide", () => this.#goAway());
    this.#tabs.open();
    this.#api.back();
    this.#locate();
    this.#feed.start();
  }

  /** See what became of the place. */
  ask() {
    if (!this.#leaving) this.#locate();
  }

  /** Show again what is known, said anew. */
  refresh() {
    this.#show();
  }

  get #status() {
    return this.#feed.status;
  }

  /** Ask the server for the place, joining if there is none; tries until there is an answer that settles it. */
  async #locate(joinsAgain = false) {
    if (this.#locating) return;
    if (this.#isEarly()) {
      this.#update();
      return;
    }
    this.#locating = true;
    this.#locateAlarm.clear();
    const asked = joinsAgain ? this.#arrival.again() : this.#arrival.find(this.#place !== null);
    const answer = await asked.catch(unforeseen);
    this.#locating = false;
    if (answer.code === 200 || answer.code === 201) {
      this.#failures.locate = 0;
      if (joinsAgain) this.#ending.clear();
      if (answer.body.status !== "lapsed") this.#ending.revive();
      this.#passedOver = false;
      this.#place = { ...answer.body, told_at_ms: this.#clock.now() - TOLD_LATE_MS };
    } else if (answer.problem === "not-open") {
      this.#opensAtMs = answer.body.opens_at_ms;
      if (this.#opensInSec() <= 0) this.#locateAlarm.set(answer.retrySec, () => this.#locate());
    } else if (!this.#ending.take(answer)) {
      if (answer.problem !== TOO_SOON) this.#failures.locate += 1;
      const delay = backoffSec(this.#failures.locate, Math.random(), answer.retrySec);
      this.#locateAlarm.set(delay, () => this.#locate(joinsAgain));
    }
    this.#update();
  }

  /** What another tab of this browser tells. */
  #hear(kind, data) {
    if (kind === "status") this.#feed.hear(data);
    else if (kind === "turn") this.#take(data);
  }

  /** What the server tells by itself. Tabs that follow have no connection and learn it from this one. */
  #called(message) {
    if (message.type !== "your_turn") return;
    this.#tabs.tell("turn", message);
    this.#take(message);
  }

  #take({ run, position }) {
    if (this.#place?.status !== "waiting" || run !== this.#place.run || position !== this.#place.position) return;
    this.#place.status = "called";
    this.#update();
  }

  #pollDelaySec() {
    const { ahead, speed } = standing(this.#place, this.#status);
    const now = { state: this.#state, ahead, speed, hidden: document.hidden, heldSec: this.#facts.claim_sec };
    const poll = this.#status?.poll ?? this.#facts.poll;
    const pushed = this.#push.isOpen;
    const startsInSec = this.#state === "unopened" ? this.#opensInSec() : this.#startsInSec();
    return pollDelaySec({ ...now, pushed, startsInSec }, poll, Math.random());
  }

  /** Look at what is known, show it, and do what it calls for. */
  #update() {
    if (this.#leaving) return;
    // A document of an earlier run, still in some cache, says nothing about a place in this one.
    if (this.#place && this.#status?.run < this.#place.run) this.#feed.drop();
    const started = this.#startsInSec() <= 0;
    const wasShut = IS_SHUT.has(this.#state);
    const wasUnopened = this.#state === "unopened";
    const state = stateOf(this.#place, this.#status, this.#ending.state, started, this.#opensInSec() <= 0);
    this.#state = this.#turn.state(state, this.#options.asksFirst);
    if (wasShut && !IS_SHUT.has(this.#state)) this.#hurry();
    this.#show();
    this.#push.want(this.#tabs.leads && this.#isNear());
    this.#tickAlarm.clear();
    if (this.#state === "called" || this.#state === "ready") this.#beCalled();
    else if (this.#state === "phone") this.#beCalledForPhone();
    else if (this.#state === "shut_called") this.#knock();
    else if (COMES_IN.has(this.#state)) this.#comeIn();
    else if (COUNTS_DOWN.has(this.#state)) this.#tickAlarm.set(1, () => this.#update());
    else if (this.#state === "loading" && (wasUnopened || !this.#locateAlarm.isSet)) this.#join(wasUnopened);
    this.#askAgainIfUnclear();
  }

  /** Find the place, or take one: all who saw the line open take theirs within a moment, not in the same one. */
  #join(together) {
    if (together) this.#locateAlarm.set(Math.random() * this.#facts.poll.near_sec, () => this.#locate());
    else this.#locate();
  }

  /** Ask the server for what only it knows, when that is called for. */
  #askAgainIfUnclear() {
    if (this.#state === "unopened") return;
    const { dropped, passed } = standing(this.#place, this.#status);
    const unclear = this.#state === "placing" || dropped || this.#isBack(passed);
    const underWay = this.#locating || this.#locateAlarm.isSet;
    const delaySec = this.#doubt.delaySec(unclear, this.#state, this.#feed.staleness, underWay);
    if (delaySec !== null) this.#locateAlarm.set(delaySec, () => this.#locate());
  }

  /** Whether a place that was passed over is not any more: an operator gave lapsed places back. */
  #isBack(passed) {
    this.#passedOver = this.#state === "lapsed" && (passed || this.#passedOver);
    return this.#passedOver && !passed && Boolean(this.#status);
  }

  /** It is the visitor's turn, who hears of it once. */
  #beCalled() {
    if (this.#turn.begins()) this.#view.call(this.#options, "called");
    if (this.#state === "called") this.#claim();
    else this.#tickAlarm.set(1, () => this.#update());
  }

  /** It is the visitor's turn, who has to confirm a phone number first; until then there is nothing to ask for. */
  #beCalledForPhone() {
    if (this.#turn.begins()) this.#view.call(this.#options, "phone");
    this.#tickAlarm.set(1, () => this.#update());
  }

  /** Called, and the door is shut: the page goes on trying, for it may be open to some, or again. */
  #knock() {
    if (!this.#turn.asks(this.#options.asksFirst)) this.#claim();
  }

  /** The door is open again: what was put off for it is put off no longer. */
  #hurry() {
    this.#failures.claim = 0;
    this.#claimFromMs = Math.min(this.#claimFromMs, Date.now() + Math.random() * OPENED_MS);
  }

  /** The visitor pressed the button. */
  goIn() {
    this.#turn.goIn();
    this.#update();
  }

  /**
   * The visitor pressed the way on. Where it leads through the line, the page asks by itself and goes on asking: a
   * browser sent there to find an error would stand on a page without a way back.
   * @param {Event} event
   */
  goOn(event) {
    const again = JOINS_AGAIN.has(this.#state);
    if (this.#leaving || (!again && this.#state !== "entering")) return;
    event.preventDefault();
    if (again) this.#locate(true);
    else this.#comeIn();
  }

  async #claim() {
    const waitMs = this.#claimFromMs - Date.now();
    if (this.#claiming) return;
    if (waitMs > 0) {
      this.#claimAlarm.set(waitMs / 1000, () => this.#update());
      return;
    }
    this.#claiming = true;
    const answer = await this.#arrival.claim().catch(unforeseen);
    this.#claiming = false;
    if (answer.code === 201 || answer.code === 200) {
      this.#failures.claim = 0;
      this.#claimed = true;
      this.#place.status = "admitted";
    } else if (answer.code === 202) {
      this.#failures.claim = 0;
      this.#place.status = answer.body?.status ?? this.#place.status;
      this.#claimFromMs = Date.now() + (answer.retrySec || 2) * 1000 * (1 + Math.random() / 4);
    } else if (answer.problem === "phone-needed") {
      this.#failures.claim = 0;
      this.#place.phone_needed = true;
    } else if (isUnknown(answer)) {
      this.#place = null;
      this.#locate();
    } else if (!this.#ending.take(answer)) {
      this.#failures.claim += 1;
      this.#claimFromMs = Date.now() + backoffSec(this.#failures.claim, Math.random(), answer.retrySec) * 1000;
    }
    this.#update();
  }

  /** Leave for the site. Sent back here a moment ago, wait first: the gate may learn of a change seconds later. */
  #comeIn() {
    const delaySec = this.#departures.delaySec();
    if (delaySec > 0) {
      this.#tickAlarm.set(delaySec, () => this.#update());
      return;
    }
    if (!this.#claimed && this.#state !== "passing") {
      // The page asks itself and never goes on to `enter`: an error there would be the end of the way.
      this.#claim();
      return;
    }
    this.#leave();
    this.#departures.leave();
    // The waiting page leaves no entry in the history: "back" leads to where the visitor came from, not to a line.
    location.replace(this.#to);
  }

  /** Somebody looks again, or the network is back: ask now. */
  #wake() {
    if (this.#leaving) return;
    this.#locateAlarm.ring();
    this.#feed.wake();
  }

  /** Back from the browser's cache: the page is as it was left, the line is not. */
  #comeBack() {
    this.#leaving = false;
    this.#saidAway = false;
    this.#claimed = false;
    this.#ending.clear();
    this.#tabs.open();
    this.#api.back();
    this.#locate();
    this.#feed.start();
  }

  /** Nothing is asked, held or heard any more. */
  #leave() {
    this.#leaving = true;
    this.#feed.stop();
    this.#push.want(false);
    this.#tabs.close();
  }

  #goAway() {
    const waits = this.#place && HOLDS_A_PLACE.has(this.#state);
    if (!this.#saidAway && !this.#leaving && waits) {
      this.#saidAway = true;
      this.#api.away();
    }
    this.#leave();
  }

  #isNear() {
    const { ahead, speed } = standing(this.#place, this.#status);
    const window = this.#status?.push_window ?? 0;
    return wantsPush(this.#state, ahead, this.#startsInSec(), window, speed, this.#push.isWanted);
  }

  /** Whether it is known that nobody has a place yet: a browser that may have one asks once. */
  #isEarly() {
    return !this.#place && this.#opensInSec() > 0 && (this.#opensAtMs > 0 || !this.#progress.remembers);
  }

  #opensInSec() {
    return (this.#opening() - this.#clock.now()) / 1000;
  }

  /** When the line opens, epoch milliseconds; 0 where places may be taken at any time. */
  #opening() {
    return (this.#status ? this.#status.opens_at_ms : this.#opensAtMs || this.#facts.opens_at_ms) ?? 0;
  }

  #startsAtMs() {
    return (this.#status ? this.#status.starts_at_ms : this.#facts.starts_at_ms) ?? 0;
  }

  #startsInSec() {
    return this.#startsAtMs() > 0 ? (this.#startsAtMs() - this.#clock.now()) / 1000 : Infinity;
  }

  /** Whether nothing gets through, and nothing else says so: of a shut door the page speaks by itself. */
  #isOffline() {
    if (this.#feed.failures > 1) return true;
    if (IS_SHUT.has(this.#state)) return false;
    return this.#failures.claim > 1 || (this.#failures.locate > 1 && !this.#arrival.works);
  }

  #show() {
    const known = {
      facts: this.#facts,
      place: this.#place,
      status: this.#status,
      state: this.#state,
      preparing: this.#claimFromMs > 0,
      staleness: this.#feed.staleness,
      works: this.#arrival.works,
      offline: this.#isOffline(),
      afresh: this.#arrival.afresh,
      urls: { to: this.#to, enter: this.#api.enterUrl(this.#to) },
    };
    this.#view.show({
      ...shown(known, this.#progress),
      startsAtMs: this.#startsAtMs(),
      startsInSec: this.#startsInSec(),
      opensAtMs: this.#opening(),
      nowMs: this.#clock.now(),
      heldForSec: this.#turn.heldForSec(),
    });
  }
}
