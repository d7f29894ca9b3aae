// Lets the log of a running job grow. Without it the page shows what there was when it was loaded.
"use strict";
{
  const MOST = 2000;
  const log = document.querySelector(".log[data-stream]");
  const live = document.getElementById("live");

  const span = (className, text) => {
    const made = document.createElement("span");
    made.className = className;
    made.textContent = text;
    return made;
  };

  // As the server makes them. What a job wrote is text, whatever it looks like.
  const line = (said) => {
    const made = document.createElement("div");
    made.className = `line ${said.level}`;
    const time = document.createElement("time");
    time.dateTime = said.at;
    time.textContent = said.at.slice(11, 19);
    made.append(span("number", said.number), " ", time, " ", span("source", said.source), " ", span("text", said.text));
    return made;
  };

  const add = (event) => {
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    log.querySelector(":scope > p")?.remove();
    log.append(line(JSON.parse(event.data)));
    while (log.childElementCount > MOST) log.firstElementChild.remove();
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  };

  const end = (event, source) => {
    source.close();
    const state = JSON.parse(event.data).state;
    document.getElementById("state").textContent = state;
    const again = document.createElement("a");
    again.href = location.pathname;
    again.textContent = "Show what it left";
    live.replaceChildren(`The job is ${state}. `, again);
  };

  if (log && live) {
    log.scrollTop = log.scrollHeight;
    const source = new EventSource(log.dataset.stream);
    source.addEventListener("open", () => live.replaceChildren("New lines come by themselves."));
    source.addEventListener("line", add);
    source.addEventListener("end", (event) => end(event, source));
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) live.replaceChildren("Nothing more comes: load the page again.");
    });
  }
}
