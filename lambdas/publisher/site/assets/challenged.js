/**
 * A firewall that challenges a busy address answers in place of the service. Only a navigation can solve that: the page
 * goes to `enter`, where the browser does so without a word, and is led back here.
 */

const KEY = "foyer.challenged";
// Where the answer is a challenge again the firewall is at odds with itself: the page waits rather than go in circles.
const ONCE_MS = 60_000;

/** Whether a response is the firewall's (AWS WAF, "CAPTCHA and Challenge action behavior"). @param {Response} response */
export const isChallenge = (response) => response.headers.get("x-amzn-waf-action") !== null;

/** Go where the challenge can be solved, at most once a minute. @param {string} url */
export function solveAt(url) {
  try {
    if (Date.now() - Number(sessionStorage.getItem(KEY)) < ONCE_MS) return;
    sessionStorage.setItem(KEY, String(Date.now()));
  } catch {
    return;
  }
  location.replace(url);
}
