// Makes two pages live. Everything works without it; text from the server is only ever set as text.
"use strict";

function cell(row, text, name) {
  const td = row.insertCell();
  if (name) td.className = name;
  const word = document.createElement("bdi");
  word.textContent = text;
  td.append(word);
}

function follow(body, status) {
  const source = new EventSource(body.dataset.events);
  const most = Number(body.dataset.most);
  const add = (event) => {
    const line = JSON.parse(event.data);
    const row = body.insertRow(0);
    if (line.bad) row.className = "bad-row";
    cell(row, line.at, "nowrap");
    cell(row, event.type);
    cell(row, line.plugin);
    cell(row, line.what, "what");
    cell(row, line.outcome);
    while (body.rows.length > most) body.deleteRow(-1);
  };
  for (const kind of ["lifecycle", "call", "denied", "log"]) source.addEventListener(kind, add);
  source.addEventListener("lost", (event) => {
    const row = body.insertRow(0);
    cell(row, "");
    cell(row, "lost");
    cell(row, "");
    cell(row, JSON.parse(event.data).events + " events came faster than this page took them");
    cell(row, "");
  });
  source.onopen = () => { status.textContent = "Live: new lines come by themselves."; };
  source.onerror = () => {
    const over = source.readyState === EventSource.CLOSED;
    status.textContent = over ? "Ended: load the page again." : "Cut off; trying again …";
  };
}

async function refresh(part) {
  const answer = await fetch(location.href, { headers: { accept: "text/html", "x-refresh": "1" } });
  if (!answer.ok) return false;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-refresh]");
  if (!fresh) return false;
  // What is open stays open, and what has the focus keeps it.
  if (part.contains(document.activeElement)) return true;
  const open = [...part.querySelectorAll("details")].map((one) => one.open);
  fresh.querySelectorAll("details").forEach((one, index) => { one.open = open[index]; });
  part.replaceChildren(...fresh.childNodes);
  return true;
}

function keepFresh(part) {
  const timer = setInterval(async () => {
    if (document.hidden) return;
    const goesOn = await refresh(part).catch(() => true);
    if (!goesOn) clearInterval(timer);
  }, Number(part.dataset.refresh) * 1000);
}

const log = document.getElementById("log");
if (log && log.dataset.events) follow(log, document.getElementById("live"));
const part = document.querySelector("[data-refresh]");
if (part) keepFresh(part);
