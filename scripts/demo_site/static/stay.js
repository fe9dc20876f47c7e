/** Keeps the visit alive while somebody looks at the page; a page left behind lets its place go to the next in line. */

const EVERY_SEC = 15;

const counter = document.querySelector("[data-visit]");

async function renew() {
  if (document.hidden) return;
  const answer = await fetch(`/.waiting-room/v1/zones/${counter.dataset.visit}/sessions/me/renewals`, { method: "POST" });
  if (answer.status !== 401 && answer.status !== 410) return;
  clearInterval(timer);
  document.getElementById("over").hidden = false;
}

// A call that was lost on the way is made up for by the next one.
const timer = counter?.dataset.visit ? setInterval(() => renew().catch(() => {}), EVERY_SEC * 1000) : 0;
