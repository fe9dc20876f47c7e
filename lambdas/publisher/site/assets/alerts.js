/** Asking to be told by telephone when the turn is near, and thinking better of it. The number is kept nowhere here. */

const WRONG_NUMBER = "/number";

export class Alerts {
  #api;
  #words;
  #key;

  /**
   * @param {string} zoneId
   * @param {import("./api.js").Api} api
   * @param {() => import("./words.js").Words} words
   */
  constructor(zoneId, api, words) {
    this.#api = api;
    this.#words = words;
    this.#key = `foyer.alert.${zoneId}`;
    element("alert-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#request(new FormData(event.target));
    });
    element("alert-cancel").addEventListener("click", () => this.#cancel());
    element("alert-cancel").hidden = !read(this.#key);
  }

  async #request(form) {
    const asked = { channel: form.get("channel"), number: form.get("number"), consent: true };
    const answer = await this.#busy(() => this.#api.alert({ ...asked, language: this.#words().language }));
    if (answer.code === 202) {
      this.#say("alert_promised", { time: this.#words().heldFor(answer.body.lead_sec) });
      element("alert-number").value = "";
      this.#remember(true);
    } else if (answer.body?.pointer === WRONG_NUMBER) {
      this.#say("alert_number_wrong");
      element("alert-number").focus();
    } else {
      this.#say(answer.code === 409 || answer.code === 410 ? "alert_refused" : "alert_failed");
    }
  }

  async #cancel() {
    const { code } = await this.#busy(() => this.#api.cancelAlert());
    this.#say(code === 204 ? "alert_cancelled" : "alert_failed");
    if (code === 204) this.#remember(false);
  }

  /** One thing at a time, however often somebody presses. */
  async #busy(ask) {
    element("alert-ask").disabled = true;
    return ask().finally(() => (element("alert-ask").disabled = false));
  }

  #say(name, values = {}) {
    element("alert-said").textContent = this.#words().say("notices", name, values);
  }

  #remember(asked) {
    element("alert-cancel").hidden = !asked;
    if (!asked) element("alert-number").focus();
    try {
      if (asked) localStorage.setItem(this.#key, "1");
      else localStorage.removeItem(this.#key);
    } catch {
      // Forbidden: after a reload nothing is offered to cancel.
    }
  }
}

const element = (id) => document.getElementById(id);

function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
