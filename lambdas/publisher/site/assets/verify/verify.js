/** The page that checks a draw: it asks for what was published and for a visitor's number, and says the place. */

import { faultOf, placeOf } from "./draw.js";

const TIMEOUT_MS = 10_000;
const FAULTS = {
  missing: "Nothing was published for this event.",
  method: "This event's record is not one of a draw this page can check.",
  closed: "The draw has not been held yet. Only the commitment below is published: keep it, and compare it later.",
  secret: "The published secret is NOT the one that was committed to. This draw proves nothing.",
};

const element = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);

/** @returns {Promise<any>} the record, null when there is none */
async function read(zone, run) {
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(zone) || !/^[1-9][0-9]{0,15}$/.test(run)) return null;
  const ends = new AbortController();
  const timer = setTimeout(() => ends.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(`/.waiting-room/draws/${zone}/${run}.json`, { signal: ends.signal });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

async function check(event) {
  event?.preventDefault();
  const [zone, run, lane] = ["zone", "run", "lane"].map((id) => element(id).value.trim());
  const record = await read(zone, run);
  const fault = record ? await faultOf(record) : "missing";
  element("commitment").textContent = record?.commitment ?? "";
  element("secret").textContent = record?.secret ?? "";
  element("beacon").textContent = record?.beacon ? `round ${record.beacon.round}: ${record.beacon.value ?? "no answer"}` : "none";
  element("early").textContent = record?.early?.[lane] ?? "";
  element("verdict").textContent = FAULTS[fault] ?? "The secret is the one that was committed to before the start.";
  const arrival = Number(element("arrival").value) - 1;
  const known = !fault && Number.isSafeInteger(arrival) && arrival >= 0;
  element("place").textContent = known ? String((await placeOf(record, lane, arrival)) + 1) : "";
  document.documentElement.dataset.state = fault || (known ? "placed" : "checked");
}

for (const id of ["zone", "run", "lane", "arrival"]) {
  if (query.has(id)) element(id).value = query.get(id);
}
element("form").addEventListener("submit", check);
if (query.has("zone") && query.has("run")) check();
