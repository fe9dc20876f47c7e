/** The waiting page: reads the facts the page carries and starts the room, in the visitor's language. */

import { Alerts } from "./alerts.js";
import { Api } from "./api.js";
import { ServerClock } from "./clock.js";
import { chosenLanguage, remember, textsOf } from "./language.js";
import { Move } from "./move.js";
import { Room } from "./room.js";
import { View } from "./view.js";
import { Words } from "./words.js";

/** @param {string} id of a JSON data block */
const data = (id) => JSON.parse(document.getElementById(id).textContent);

const facts = data("zone");
const english = data("texts");
const texts = await textsOf(chosenLanguage(facts.languages), english);
const clock = new ServerClock();
const api = new Api(facts.zone_id, clock);
const to = new URLSearchParams(location.search).get("to");
const view = new View(facts, new Words(texts));
const room = new Room(facts, to, api, clock, view);
new Alerts(facts.zone_id, api, () => view.words);
new Move(api, () => view.words, () => room.ask());

document.getElementById("go-in").addEventListener("click", () => room.goIn());
document.getElementById("languages").addEventListener("click", async (event) => {
  const language = event.target.closest?.("[data-language]")?.dataset.language;
  if (!language) return;
  event.preventDefault();
  remember(language);
  view.speak(new Words(await textsOf(language, english)));
  room.refresh();
});
room.start();
