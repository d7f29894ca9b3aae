// The front: everything that it shows comes from the API.
const main = document.querySelector("main");
const list = document.querySelector("ol");
const form = document.querySelector("form");
const alert = document.querySelector("[role=alert]");

function shown(one) {
  const item = document.createElement("li");
  const title = document.createElement("strong");
  title.textContent = `${one.tile}: ${one.state}`;
  item.append(title);
  if (one.plotted) {
    const plot = document.createElement("img");
    plot.src = `/api/predictions/${one.id}/plot.png`;
    plot.alt = `The tile ${one.tile} and its classes`;
    item.append(plot);
  }
  if (one.result) {
    const result = document.createElement("pre");
    result.textContent = JSON.stringify(one.result, null, 2);
    item.append(result);
  }
  return item;
}

async function refresh() {
  const answer = await fetch("/api/predictions");
  if (answer.ok) list.replaceChildren(...(await answer.json()).map(shown));
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { tile, model } = Object.fromEntries(new FormData(form));
  const answer = await fetch("/api/predictions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ tile, model }),
  });
  alert.textContent = answer.ok ? "" : `It was not submitted (${answer.status}).`;
  await refresh();
});

const me = await fetch("/api/me");
if (me.ok) {
  document.querySelector("#who").textContent = (await me.json()).person;
  main.hidden = false;
  await refresh();
  setInterval(refresh, 3000);
}
