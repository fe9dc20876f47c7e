/** What the page shows at one moment, from all that is known. */

import { estimate, HOLDS_A_PLACE, standing } from "./line.js";

const STALE_MS = 20_000;

const IS_MEASURED = new Set(["waiting", "next"]);
const LEADS_HOME = new Set(["sold_out", "ended", "completed", "revoked", "moved", "unknown"]);

/**
 * @param {object} known
 * @param {any} known.facts of the zone, as published with the page
 * @param {any} known.place
 * @param {any} known.status the status document
 * @param {string} known.state
 * @param {boolean} known.preparing whether a claim was answered "not yet"
 * @param {number} known.staleness how old the document was, milliseconds
 * @param {boolean} known.works whether the work before joining takes longer than usual
 * @param {boolean} known.offline
 * @param {boolean} known.afresh whether an earlier place of this browser did not count
 * @param {{to: string, enter: string}} known.urls
 * @param {import("./line.js").Progress} progress
 * @returns {import("./view.js").Picture} without the times, which change by themselves
 */
export function shown(known, progress) {
  const { facts, place, status, state, urls } = known;
  const { position, ahead, speed } = shownStanding(place, status, state);
  const page = status ? status.page : facts.page;
  const own = page?.by_lane?.[place?.lane] ?? {};
  const measured = status && speed > 0 ? estimate(ahead, speed) : null;
  return {
    state: state === "called" && known.preparing ? "preparing" : state,
    position,
    drawn: position === null ? null : drawn(facts.zone_id, place),
    ahead,
    estimate: measured ?? (status ? null : (place?.estimate ?? null)),
    progress: ahead === null ? 0 : progress.of(place, ahead),
    measuredAtMs: status?.updated_at_ms ?? 0,
    notice: notice(known),
    phoneNeeded: Boolean(place?.phone_needed),
    actionUrl: actionUrl(state, facts, urls),
    event: status?.title || facts.title,
    message: status?.message ?? facts.message,
    page: { ...page, ...own },
    forLane: own,
    translations: status ? status.translations : facts.translations,
    pictureUrl: picture(status?.picture_url ?? facts.picture_url, facts.default_picture),
  };
}

function actionUrl(state, facts, urls) {
  if (state === "passing") return urls.to;
  if (state === "sign_in") return facts.login_url || "/";
  return LEADS_HOME.has(state) ? "/" : urls.enter;
}

/** The visitor's number in the draw, from 1, and where it is checked; null where order is by arrival. */
function drawn(zoneId, { run, lane, arrival }) {
  if (arrival === null || arrival === undefined) return null;
  const query = new URLSearchParams({ zone: zoneId, run, lane, arrival: arrival + 1 });
  return { number: arrival + 1, url: `/.waiting-room/assets/verify/index.html?${query}` };
}

/** Where the visitor stands, as far as it is shown: before the start everybody waits alike. */
function shownStanding(place, status, state) {
  const known = standing(place, status);
  return state === "before" || state === "starting" ? { ...known, position: null, ahead: null } : known;
}

function notice({ place, status, state, staleness, works, offline, afresh }) {
  if (offline) return "offline";
  if (works && !place) return "works";
  if (IS_MEASURED.has(state) && status && staleness > STALE_MS) return "stale";
  if (!HOLDS_A_PLACE.has(state)) return "";
  return place?.notice ? "rejoined" : afresh ? "afresh" : "";
}

function picture(url, otherwise) {
  return /^(https:\/\/|\/(?![/\\]))/.test(url) ? url : otherwise;
}
