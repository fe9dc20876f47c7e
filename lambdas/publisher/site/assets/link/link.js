/** The page behind a link: its token stands in the fragment, which reaches no server before the button is pressed. */

const field = document.getElementById("link");
const paste = document.getElementById("paste");

function take() {
  const token = location.hash.slice(1);
  if (!token) return;
  field.value = decodeURIComponent(token);
  paste.hidden = true;
}

addEventListener("hashchange", take);
take();
