/** The course of a visit: find the place, watch the line, come in when called. */

import { Alarm } from "./alarm.js";
import { safePath, unforeseen } from "./api.js";
import { Arrival, isUnknown } from "./arrival.js";
import { Departures } from "./departures.js";
import { Doubt } from "./doubt.js";
import { Feed } from "./feed.js";
import { HOLDS_A_PLACE, Progress, standing, stateOf, stateOfProblem } from "./line.js";
import { Options } from "./options.js";
import { backoffSec, pollDelaySec, wantsPush } from "./pace.js";
import { Push } from "./push.js";
import { shown } from "./shown.js";
import { Tabs } from "./tabs.js";
import { Turn } from "./turn.js";

const DOUBT_MS = 15_000;
// The server tells a place from copies of up to a second, and this browser knows its clock to half a second.
const TOLD_LATE_MS = 2_000;

const STARTING = new Set(["before", "starting"]);
const MAY_COME_BACK = new Set(["sold_out", "ended"]);
const COMES_IN = new Set(["entering", "passing"]);

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
  #ending = { state: "", untilMs: 0 };

  #locating = false;
  #claiming = false;
  #claimed = false;
  #leaving = false;
  #saidAway = false;

  #claimFromMs = 0;
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
    this.#to = safePath(to, facts.landing_path);
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
  async #locate() {
    if (this.#locating) return;
    this.#locating = true;
    this.#locateAlarm.clear();
    const answer = await this.#arrival.find(this.#place !== null).catch(unforeseen);
    this.#locating = false;
    if (answer.code === 200 || answer.code === 201) {
      this.#failures.locate = 0;
      this.#place = { ...answer.body, told_at_ms: this.#clock.now() - TOLD_LATE_MS };
    } else if (!this.#isSettled(answer)) {
      this.#failures.locate += 1;
      const delay = backoffSec(this.#failures.locate, Math.random(), answer.retrySec);
      this.#locateAlarm.set(delay, () => this.#locate());
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
    return pollDelaySec({ ...now, pushed, startsInSec: this.#startsInSec() }, poll, Math.random());
  }

  /** Look at what is known, show it, and do what it calls for. */
  #update() {
    if (this.#leaving) return;
    // A document of an earlier run, still in some cache, says nothing about a place in this one.
    if (this.#place && this.#status?.run < this.#place.run) this.#feed.drop();
    const ending = Date.now() < this.#ending.untilMs ? this.#ending.state : "";
    const started = this.#startsInSec() <= 0;
    this.#state = this.#turn.state(stateOf(this.#place, this.#status, ending, started), this.#options.asksFirst);
    this.#show();
    this.#push.want(this.#tabs.leads && this.#isNear());
    this.#tickAlarm.clear();
    if (this.#state === "called" || this.#state === "ready") this.#beCalled();
    else if (COMES_IN.has(this.#state)) this.#comeIn();
    else if (STARTING.has(this.#state)) this.#tickAlarm.set(1, () => this.#update());
    else if (this.#state === "loading" && !this.#locateAlarm.isSet) this.#locate();
    this.#askAgainIfUnclear();
  }

  /** Ask the server for what only it knows, when that is called for. */
  #askAgainIfUnclear() {
    const unclear = this.#state === "placing" || standing(this.#place, this.#status).dropped;
    const underWay = this.#locating || this.#locateAlarm.isSet;
    const delaySec = this.#doubt.delaySec(unclear, this.#state, this.#feed.staleness, underWay);
    if (delaySec !== null) this.#locateAlarm.set(delaySec, () => this.#locate());
  }

  /** It is the visitor's turn, who hears of it once. */
  #beCalled() {
    if (this.#turn.begins()) this.#view.call(this.#options);
    if (this.#state === "called") this.#claim();
    else this.#tickAlarm.set(1, () => this.#update());
  }

  /** The visitor pressed the button. */
  goIn() {
    this.#turn.goIn();
    this.#update();
  }

  async #claim() {
    const waitMs = this.#claimFromMs - Date.now();
    if (this.#claiming) return;
    if (waitMs > 0) {
      this.#claimAlarm.set(waitMs / 1000, () => this.#update());
      return;
    }
    this.#claiming = true;
    const answer = await this.#api.claim().catch(unforeseen);
    this.#claiming = false;
    if (answer.code === 201 || answer.code === 200) {
      this.#claimed = true;
      this.#place.status = "admitted";
    } else if (answer.code === 202) {
      this.#failures.claim = 0;
      this.#place.status = answer.body?.status ?? this.#place.status;
      this.#claimFromMs = Date.now() + (answer.retrySec || 2) * 1000 * (1 + Math.random() / 4);
    } else if (isUnknown(answer)) {
      this.#place = null;
      this.#locate();
    } else if (!this.#isSettled(answer)) {
      this.#failures.claim += 1;
      this.#claimFromMs = Date.now() + backoffSec(this.#failures.claim, Math.random(), answer.retrySec) * 1000;
    }
    this.#update();
  }

  /** Whether a refusal is the last word. What may come back counts until the status document says so itself. */
  #isSettled({ problem }) {
    const state = stateOfProblem(problem);
    if (!state) return false;
    this.#ending = { state, untilMs: MAY_COME_BACK.has(state) ? Date.now() + DOUBT_MS : Infinity };
    return true;
  }

  /** Leave for the site. Sent back here a moment ago, wait first: the gate may learn of a change seconds later. */
  #comeIn() {
    const { delaySec, returned } = this.#departures.next();
    if (delaySec > 0) {
      this.#tickAlarm.set(delaySec, () => this.#update());
      return;
    }
    const straight = this.#claimed || this.#state === "passing";
    if (returned && !straight) {
      // Going through `enter` led back here without a word; asking tells why.
      this.#claim();
      return;
    }
    this.#leave();
    this.#departures.leave();
    // The waiting page leaves no entry in the history: "back" leads to where the visitor came from, not to a line.
    location.replace(straight ? this.#to : this.#api.enterUrl(this.#to));
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
    this.#ending = { state: "", untilMs: 0 };
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

  #startsAtMs() {
    return (this.#status ? this.#status.starts_at_ms : this.#facts.starts_at_ms) ?? 0;
  }

  #startsInSec() {
    return this.#startsAtMs() > 0 ? (this.#startsAtMs() - this.#clock.now()) / 1000 : Infinity;
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
      offline: this.#feed.failures > 1 || (this.#failures.locate > 1 && !this.#arrival.works),
      afresh: this.#arrival.afresh,
      urls: { to: this.#to, enter: this.#api.enterUrl(this.#to) },
    };
    this.#view.show({
      ...shown(known, this.#progress),
      startsAtMs: this.#startsAtMs(),
      startsInSec: this.#startsInSec(),
      nowMs: this.#clock.now(),
      heldForSec: this.#turn.heldForSec(),
    });
  }
}
