/** A link that moves the place to another device. */

// The link works for ten minutes; meanwhile this device asks whether it has been used.
const ASK_EVERY_SEC = 10;

export class Move {
  #api;
  #words;
  #ask;
  #untilMs = 0;
  #timer = 0;

  /**
   * @param {import("./api.js").Api} api
   * @param {() => import("./words.js").Words} words
   * @param {() => void} ask see what became of the place
   */
  constructor(api, words, ask) {
    this.#api = api;
    this.#words = words;
    this.#ask = ask;
    element("move-make").addEventListener("click", () => this.#make());
    element("move-link").addEventListener("focus", (event) => event.target.select());
  }

  async #make() {
    element("move-make").disabled = true;
    const { code, body } = await this.#api.link().finally(() => (element("move-make").disabled = false));
    const words = this.#words();
    if (code !== 201) {
      element("move-said").textContent = words.say("notices", "move_failed");
      return;
    }
    const seconds = Math.max(60, (body.expires_at_ms - this.#api.now()) / 1000);
    element("move-said").textContent = words.say("notices", "move_lead", { time: words.heldFor(seconds) });
    element("move-link").value = location.origin + body.path;
    element("move-link").hidden = false;
    element("move-link").focus();
    this.#untilMs = Date.now() + seconds * 1000;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(), ASK_EVERY_SEC * 1000);
  }

  #look() {
    if (Date.now() > this.#untilMs) clearInterval(this.#timer);
    this.#ask();
  }
}

const element = (id) => document.getElementById(id);
