import { chart, spark } from "./charts.js";

const EVERY_MS = 2000;
const byId = (id) => document.getElementById(id);
const whole = (value) => (value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en"));
const share = (value) => (value === null || value === undefined ? "–" : `${Math.round(value * 100)} %`);
const of = (value, most) => (most === null || most === undefined ? whole(value) : `${whole(value)} of ${whole(most)}`);
const clock = (at) => new Date(at).toLocaleString([], { dateStyle: "short", timeStyle: "medium" });
let zones = [];
let open = decodeURIComponent(location.hash.slice(1));
let asking = false;

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
  const response = await fetch(path, sent);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function trouble(text) {
  byId("trouble").textContent = text;
  byId("trouble").hidden = !text;
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
  const wanted = byId("filter").value.trim().toLowerCase();
  const shown = inOrder(zones).filter((zone) => `${zone.zone_id} ${zone.title} ${zone.phase}`.toLowerCase().includes(wanted));
  const focused = document.activeElement?.dataset?.zone;
  byId("zones").replaceChildren(...shown.map(card));
  if (focused) byId("zones").querySelector(`[data-zone="${CSS.escape(focused)}"]`)?.focus();
  const text = `${shown.length} of ${zones.length} zones, ${whole(zones.reduce((sum, zone) => sum + zone.waiting, 0))} waiting`;
  if (byId("count").textContent !== text) byId("count").textContent = text;
}

function drawHealth(health) {
  const parts = Object.entries(health).map(([name, value]) => `${name} ${typeof value === "number" ? whole(value) : value}`);
  byId("health").textContent = parts.join(" · ");
}

function figures(zone) {
  const drop = zone.drop_off;
  const rate = zone.safe_rate_per_min && zone.safe_rate_per_min < zone.rate_per_min ? `held to ${whole(zone.safe_rate_per_min)} by protection` : "";
  return [
    ["Waiting", whole(zone.waiting), `${whole(zone.joined)} joined`],
    ["Called", whole(zone.called), `${whole(zone.lapsed)} did not come`],
    ["In zone", of(zone.active, zone.max_active), "against the cap"],
    ["Rate a minute", of(zone.rate, zone.rate_per_min), zone.pinned ? "pinned by hand" : rate],
    ["Wait, median", span(zone.wait_median_sec), "called in the last 10 min"],
    ["Wait, 95 %", span(zone.wait_p95_sec), "of them waited no longer"],
    ["Show-up share", share(zone.show_up_share), "of those called"],
    ["Drop-off", drop ? share(drop.share) : "–", drop ? `${whole(drop.gone)} gone, after ${span(drop.mean_wait_sec)}` : ""],
    ["Estimate error", share(zone.estimate_error), "told against waited"],
    ["Sold", of(zone.sold, zone.inventory), "against the stock"],
    ["Exempt", whole(zone.exempt_links), `staff links in force, and ${whole(zone.exempt_rules)} rules`],
    ["Last tick", zone.tick_age_sec === null ? "–" : `${span(zone.tick_age_sec)} ago`, `run ${zone.run}`],
    ["Last change", zone.changed.at_ms ? clock(zone.changed.at_ms) : "–", `${zone.changed.by.split("/").pop()}${zone.changed.why ? `: ${zone.changed.why}` : ""}, version ${zone.version}`],
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

function drawCharts(charts) {
  const wanted = [
    ["Line", [["waiting", "waiting"]]],
    ["Arrivals and admissions a minute", [["admitted", "admitted"], ["arrivals", "arrivals"]]],
    ["Admissions against the set rate", [["admitted", "admitted"], ["set rate", "rate"]]],
    ["In zone against the cap", [["in zone", "inside"], ["cap", "cap"]]],
    ["Sold against the stock", [["sold", "sold"], ["stock", "inventory"]]],
    ["Left the page while waiting", [["gone", "dropped"]]],
  ];
  byId("charts").replaceChildren(...wanted.map(([title, names]) => chart(title, charts.at_ms, names.map(([name, key]) => ({ name, values: charts[key] })))));
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
  byId("figures").replaceChildren(...figures(zone).map(([name, value, note]) => {
    const box = make("div"), told = make("dd", value);
    if (note) told.append(make("small", note));
    box.append(make("dt", name), told);
    return box;
  }));
  byId("lanes").replaceChildren(laneTable(zone.lanes));
  drawCharts(zone.charts);
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
async function propose(action, value) {
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
  byId("confirm-title").textContent = plan.title;
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

byId("zones").addEventListener("click", (event) => {
  const button = event.target.closest("[data-zone]");
  if (button) show(button.dataset.zone);
});
byId("close").addEventListener("click", () => show(""));
byId("no").addEventListener("click", () => byId("confirm").close());
byId("filter").addEventListener("input", drawZones);
document.querySelectorAll("button[data-action]").forEach((button) => button.addEventListener("click", () => propose(button.dataset.action, button.dataset.value)));
document.querySelectorAll("form[data-action]").forEach((form) => form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = form.elements.value.value;
  propose(form.dataset.action, form.dataset.action === "message" ? text : numberOf(text));
}));
byId("look-up").addEventListener("submit", (event) => { event.preventDefault(); lookUp(event.target); });
refresh();
setInterval(() => { if (!document.hidden) refresh(); }, EVERY_MS);
