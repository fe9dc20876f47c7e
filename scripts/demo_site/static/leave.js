/** "Leave without buying" by the visitor's own cookie, which the answer also takes away; without scripts the form does. */

const form = document.querySelector("form[data-leave]");

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const zone = form.dataset.leave;
  try {
    const answer = await fetch(`/.waiting-room/v1/zones/${zone}/sessions/me`, { method: "DELETE" });
    if (!answer.ok) throw new Error(`leaving was answered ${answer.status}`);
    location.assign(`/?left=${zone}`);
  } catch {
    form.submit();
  }
});
