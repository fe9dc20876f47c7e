import { chart, spark } from "./charts.js";

const EVERY_MS = 2000;
// Its server asks the API meanwhile, and perhaps tries again.
const LONGEST_MS = 60_000;
const byId = (id) => document.getElementById(id);
const whole = (value) => (value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en"));
const share = (value) => (value === null || value === undefined ? "–" : `${Math.round(value * 100)} %`);
const of = (value, most) => (most === null || most === undefined ? whole(value) : `${whole(value)} of ${whole(most)}`);
const clock = (at) => new Date(at).toLocaleString([], { dateStyle: "short", timeStyle: "medium" });
let zones = [];
let open = decodeURIComponent(location.hash.slice(1));
let asking = false;
let pressed = false;
let readAt = null;

function span(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 100) return `${Math.round(seconds)} s`;
  return seconds < 6000 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function make(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

async function ask(path, body) {
  const sent = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const ends = new AbortController();
  const timer = setTimeout(() => ends.abort(), LONGEST_MS);
  let response, answer;
  try {
    response = await fetch(path, { ...sent, signal: ends.signal });
    answer = await response.json();
  } catch {
    throw new Error("The dashboard's own server does not answer: is `wr dashboard` still running? Started again, it has another address.");
  } finally {
    clearTimeout(timer);
  }
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

// What is shown stays: it says from when it is. The same text again is not read out again.
function trouble(text) {
  const said = text && readAt ? `${text} What is shown here is of ${new Date(readAt).toLocaleTimeString()}.` : text;
  if (byId("trouble").textContent !== said) byId("trouble").textContent = said;
  byId("trouble").hidden = !said;
}

// Only what differs is replaced: a click, a marked text and the focus stay where they are.
function put(parent, children) {
  children.forEach((child, index) => {
    const old = parent.children[index];
    if (!old) parent.append(child);
    else if (!old.isEqualNode(child)) old.replaceWith(child);
  });
  while (parent.children.length > children.length) parent.lastElementChild.remove();
}

// Live zones first, the longest line on top; the order of the others is that of their names.
function inOrder(list) {
  const live = (zone) => (zone.tick_age_sec !== null && zone.tick_age_sec < 30 ? 1 : 0);
  return [...list].sort((a, b) => live(b) - live(a) || (live(a) ? b.waiting - a.waiting : 0) || a.zone_id.localeCompare(b.zone_id));
}

function card(zone) {
  const item = make("li"), button = make("button", undefined, "zone");
  button.type = "button";
  button.dataset.zone = zone.zone_id;
  button.append(make("strong", zone.title || zone.zone_id), make("span", zone.phase.replace("_", " "), `phase ${zone.phase}`));
  const numbers = make("span", undefined, "numbers");
  for (const [name, value] of [["waiting", whole(zone.waiting)], ["in", of(zone.active, zone.max_active)], ["a minute", of(zone.rate, zone.rate_per_min)], ["wait", span(zone.wait_median_sec)]]) {
    const one = make("span");
    one.append(make("b", value), ` ${name}`);
    numbers.append(one);
  }
  button.append(numbers);
  if (zone.spark.length > 1) button.append(spark(zone.spark));
  const stale = zone.waiting > 0 && zone.tick_age_sec > 90;
  if (stale || zone.trouble) button.append(make("span", zone.trouble || `Not ticked for ${span(zone.tick_age_sec)}`, "warn"));
  item.append(button);
  return item;
}

function drawZones() {
  if (pressed) return;
  const wanted = byId("filter").value.trim().toLowerCase();
  const shown = inOrder(zones).filter((zone) => `${zone.zone_id} ${zone.title} ${zone.phase}`.toLowerCase().includes(wanted));
  const focused = document.activeElement?.dataset?.zone;
  put(byId("zones"), shown.map(card));
  if (focused && document.activeElement?.dataset?.zone !== focused) byId("zones").querySelector(`[data-zone="${CSS.escape(focused)}"]`)?.focus();
  const text = `${shown.length} of ${zones.length} zones, ${whole(zones.reduce((sum, zone) => sum + zone.waiting, 0))} waiting`;
  if (byId("count").textContent !== text) byId("count").textContent = text;
}

function drawHealth(health) {
  const parts = Object.entries(health).map(([name, value]) => `${name} ${typeof value === "number" ? whole(value) : value}`);
  const text = parts.length ? `Last 5 min: ${parts.join(" · ")}` : "Errors and throttles: start `wr dashboard` with --deployment NAME to see them";
  if (byId("health").textContent !== text) byId("health").textContent = text;
}

function figures(zone) {
  const drop = zone.drop_off;
  const rate = zone.safe_rate_per_min && zone.safe_rate_per_min < zone.rate_per_min ? `held to ${whole(zone.safe_rate_per_min)} by protection` : "";
  return [
    ["Waiting", whole(zone.waiting), `${whole(zone.joined)} joined`],
    ["Called", whole(zone.called), `${whole(zone.lapsed)} did not come`],
    ["In zone", of(zone.active, zone.max_active), "against the cap"],
    ["Rate a minute", of(zone.rate, zone.rate_per_min), zone.pinned ? "pinned by hand" : rate],
    ["Wait until called, median", span(zone.wait_median_sec), zone.wait_median_sec === null ? "nobody was called yet" : zone.wait_lately ? "called in the last 10 min" : "of this run: nobody in the last 10 min"],
    ["Wait until called, 95\u00a0%", span(zone.wait_p95_sec), "of them waited no longer"],
    ["Show-up share", share(zone.show_up_share), "of those called"],
    ["Drop-off", drop ? share(drop.share) : "–", drop ? `${whole(drop.gone)} gone, after ${span(drop.mean_wait_sec)}` : ""],
    ["Estimate error", share(zone.estimate_error), zone.estimate_error === null ? "nobody yet was told one and waited 30 s" : "told against waited"],
    zone.inventory === null ? ["Sold", "–", "no stock is set, so nothing is counted"] : ["Sold", of(zone.sold, zone.inventory), "against the stock"],
    ["Exempt", whole(zone.exempt_links), `staff links in force, and ${whole(zone.exempt_rules)} rules`],
    ["Last tick", zone.tick_age_sec === null ? "–" : `${span(zone.tick_age_sec)} ago`, `run ${zone.run}`],
    ["Last change", zone.changed.at_ms ? clock(zone.changed.at_ms) : "–", `${zone.changed.by}${zone.changed.why ? `: ${zone.changed.why}` : ""}, version ${zone.version}`],
  ];
}

function laneTable(lanes) {
  const table = make("table"), head = make("tr");
  for (const name of ["Lane", "Waiting", "Called below", "Tail", "Called a minute"]) {
    const cell = make("th", name);
    cell.scope = "col";
    head.append(cell);
  }
  const thead = make("thead"), body = make("tbody");
  thead.append(head);
  for (const [name, lane] of Object.entries(lanes)) {
    const row = make("tr"), title = make("th", name);
    title.scope = "row";
    row.append(title, ...[lane.waiting, lane.serving, lane.tail, lane.per_min].map((value) => make("td", whole(value))));
    body.append(row);
  }
  table.append(thead, body);
  return table;
}

function drawCharts(charts, stocked) {
  const wanted = [
    ["Line", [["waiting", "waiting"]]],
    ["Arrivals and admissions a minute", [["admitted", "admitted"], ["arrivals", "arrivals"]]],
    ["Admissions against the set rate", [["admitted", "admitted"], ["set rate", "rate", "not set"]]],
    ["In zone against the cap", [["in zone", "inside"], ["cap", "cap", "not set"]]],
    ["Seconds waited by who was let in, slowest lane", [["median", "wait_median"], ["95 %", "wait_p95"]]],
    ["Left the page while waiting", [["gone", "dropped"]]],
    ["Completed a minute", [["completed", "completed"]]],
  ];
  if (stocked) wanted.push(["Sold against the stock", [["sold", "sold"], ["stock", "inventory", "not set"]]]);
  put(byId("charts"), wanted.map(([title, names]) => chart(title, charts.at_ms, names.map(([name, key, without]) => ({ name, values: charts[key], without })))));
}

function change(entry) {
  const item = make("li", entry.what);
  item.append(make("small", `${clock(entry.at_ms)}, ${entry.by}`));
  return item;
}

function drawDetail(zone) {
  byId("detail").hidden = false;
  byId("detail-title").textContent = zone.title ? `${zone.title} (${zone.zone_id})` : zone.zone_id;
  const starts = zone.starts_at_ms ? `, starts ${clock(zone.starts_at_ms)}` : "";
  byId("state").textContent = `${zone.phase.replace("_", " ")}, control ${zone.control}, mode ${zone.mode}${starts}${zone.message ? ` – “${zone.message}”` : ""}`;
  for (const button of document.querySelectorAll("[data-action=control]")) {
    button.setAttribute("aria-pressed", String(button.dataset.value === zone.control));
  }
  document.querySelector("[data-action=release]").hidden = !zone.pinned;
  put(byId("figures"), figures(zone).map(([name, value, note]) => {
    const box = make("div"), told = make("dd", value);
    if (note) told.append(make("small", note));
    box.append(make("dt", name), told);
    return box;
  }));
  put(byId("lanes"), [laneTable(zone.lanes)]);
  drawCharts(zone.charts, zone.inventory !== null);
  put(byId("changes"), zone.changes.length ? zone.changes.map(change) : [make("li", "Nothing was changed yet.")]);
}

async function refresh() {
  if (asking) return;
  asking = true;
  try {
    const answer = await ask("zones");
    zones = answer.zones;
    drawZones();
    drawHealth(answer.health);
    if (open) drawDetail(await ask(`zones/${encodeURIComponent(open)}`));
    readAt = Date.now();
    trouble("");
  } catch (error) {
    trouble(error.message);
  } finally {
    asking = false;
  }
}

async function show(zoneId) {
  open = zoneId;
  history.replaceState(null, "", zoneId ? `#${encodeURIComponent(zoneId)}` : "#");
  byId("visitor").replaceChildren();
  if (!zoneId) { byId("detail").hidden = true; return; }
  try {
    drawDetail(await ask(`zones/${encodeURIComponent(zoneId)}`));
    byId("detail-title").focus();
    byId("detail").scrollIntoView();
  } catch (error) {
    trouble(error.message);
  }
}

// Nothing is changed before the operator has read what it will do; the server checks what was typed once more.
async function propose(action, value, name) {
  const path = `zones/${encodeURIComponent(open)}`;
  const dialog = byId("confirm"), again = byId("again"), typed = again.querySelector("input"), refusal = byId("refusal");
  let plan;
  typed.value = "";
  refusal.hidden = true;
  byId("yes").hidden = false;
  try {
    plan = await ask(`${path}/plan`, { action, value });
  } catch (error) {
    plan = { title: "This cannot be done", says: error.message, type_again: "" };
    byId("yes").hidden = true;
  }
  byId("confirm-title").textContent = byId("yes").hidden ? plan.title : `${name}: ${plan.title}`;
  byId("says").textContent = plan.says;
  again.hidden = !plan.type_again;
  again.querySelector("span").textContent = `Type ${plan.type_again} to confirm`;
  byId("yes").classList.toggle("danger", Boolean(plan.danger));
  dialog.querySelector("form").onsubmit = async (event) => {
    event.preventDefault();
    if (byId("yes").hidden) return;
    try {
      await ask(`${path}/change`, { action, value, version: plan.version, typed: typed.value.trim() });
      dialog.close();
      await refresh();
    } catch (error) {
      refusal.textContent = error.message;
      refusal.hidden = false;
    }
  };
  dialog.showModal();
  byId("no").focus();
}

function numberOf(text) {
  return Number(text.trim().replace(/[,_\s]/g, "") || NaN);
}

async function lookUp(form) {
  const shown = byId("visitor");
  try {
    const answer = await ask(`zones/${encodeURIComponent(open)}/visitor`, { visitor_id: form.elements.visitor_id.value });
    const list = make("ol");
    list.append(...answer.story.map((line) => make("li", line)));
    shown.replaceChildren(make("h3", `What happened to ${answer.found.visitor_id}`), list);
  } catch (error) {
    shown.replaceChildren(make("p", error.message));
  }
}

// A card must not be replaced between the two halves of a click on it.
document.addEventListener("pointerdown", () => { pressed = true; });
for (const over of ["pointerup", "pointercancel"]) document.addEventListener(over, () => setTimeout(() => { pressed = false; }));
byId("zones").addEventListener("click", (event) => {
  const button = event.target.closest("[data-zone]");
  if (button) show(button.dataset.zone);
});
byId("close").addEventListener("click", () => {
  const left = open;
  show("");
  (byId("zones").querySelector(`[data-zone="${CSS.escape(left)}"]`) ?? byId("filter")).focus();
});
byId("no").addEventListener("click", () => byId("confirm").close());
byId("filter").addEventListener("input", drawZones);
document.querySelectorAll("button[data-action]").forEach((button) => button.addEventListener("click", () => propose(button.dataset.action, button.dataset.value, button.textContent)));
document.querySelectorAll("form[data-action]").forEach((form) => form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = form.elements.value.value;
  propose(form.dataset.action, form.dataset.action === "message" ? text : numberOf(text), form.querySelector("button").textContent);
}));
byId("look-up").addEventListener("submit", (event) => { event.preventDefault(); lookUp(event.target); });
refresh();
setInterval(() => { if (!document.hidden) refresh(); }, EVERY_MS);
