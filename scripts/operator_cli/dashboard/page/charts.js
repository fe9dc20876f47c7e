// Line charts as SVG: one or two series over time, a scale that begins at nothing, gaps where nothing is known.
const NS = "http://www.w3.org/2000/svg";
const WIDTH = 360, HEIGHT = 150, LEFT = 44, BOTTOM = 20, TOP = 8, RIGHT = 6;

function element(name, attributes, text) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function roundUp(value) {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value - 1e-9);
}

function short(value) {
  if (value >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
  return value >= 1e4 ? `${+(value / 1e3).toPrecision(3)}k` : String(+value.toPrecision(3));
}

function path(values, x, y) {
  let drawn = "", lifted = true;
  values.forEach((value, index) => {
    if (value === null || value === undefined) { lifted = true; return; }
    drawn += `${lifted ? "M" : "L"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    lifted = false;
  });
  return drawn;
}

export function chart(title, times, series) {
  const figure = document.createElement("figure");
  const heading = document.createElement("h3");
  heading.textContent = title;
  const known = series.flatMap((one) => one.values).filter((value) => value !== null && value !== undefined);
  const last = (values) => [...values].reverse().find((value) => value !== null && value !== undefined);
  const said = series.map((one) => `${one.name} ${last(one.values) === undefined ? one.without ?? "unknown" : short(last(one.values))}`);
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}: now ${said.join(", ")}` });
  const most = roundUp(Math.max(1e-9, ...known));
  const from = times[0] ?? 0, span = Math.max(1, (times[times.length - 1] ?? 1) - from);
  const x = (index) => LEFT + (times.length < 2 ? 0 : (times[index] - from) / span) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - (value / most) * (HEIGHT - BOTTOM - TOP);
  for (const part of [0, 0.5, 1]) {
    svg.append(element("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(most * part), y2: y(most * part) }));
    svg.append(element("text", { class: "axis", x: LEFT - 6, y: y(most * part) + 4, "text-anchor": "end" }, short(most * part)));
  }
  const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (times.length) {
    svg.append(element("text", { class: "axis", x: LEFT, y: HEIGHT - 4 }, clock(times[0])));
    svg.append(element("text", { class: "axis", x: WIDTH - RIGHT, y: HEIGHT - 4, "text-anchor": "end" }, clock(times[times.length - 1])));
  }
  series.forEach((one, index) => svg.append(element("path", { class: `line-${index}`, d: path(one.values, x, y) })));
  const caption = document.createElement("figcaption");
  series.forEach((one, index) => {
    const key = document.createElement("span");
    key.className = `key-${index}`;
    key.textContent = one.name;
    caption.append(index ? " · " : "", key, ` ${said[index].slice(one.name.length + 1)}`);
  });
  figure.append(heading, svg, caption);
  return figure;
}

export function spark(values) {
  const svg = element("svg", { viewBox: "0 0 200 34", preserveAspectRatio: "none", "aria-hidden": "true" });
  const most = Math.max(1, ...values);
  const x = (index) => (values.length < 2 ? 0 : (index / (values.length - 1)) * 200);
  svg.append(element("path", { class: "line-0", d: path(values, x, (value) => 32 - (value / most) * 30) }));
  return svg;
}
