// Shows the phones, keeps them current by server-sent events, sends what is pressed or written.
// All foreign text goes in through textContent.
"use strict";

const { texts, beat_s } = JSON.parse(document.getElementById("texts").textContent);
const say = (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
const language = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const clockSeconds = new Intl.DateTimeFormat(language, { timeStyle: "medium", hourCycle: "h23" });
const time = (seconds) => clock.format(new Date(seconds * 1000));
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const main = document.getElementById("phones");
const none = document.getElementById("none");
const jump = document.getElementById("jump");
const cards = new Map(); // number -> Card

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

class Card {
  constructor(number) {
    this.number = number;
    this.root = document.getElementById("phone").content.cloneNode(true).firstElementChild;
    this.root.id = "phone-" + number.slice(1);
    this.link = element("a");
    this.link.href = "#" + this.root.id;
    this.bubbles = new Map(); // sid -> element
    this.captions = 0;
    this.timers = [];
    this.callSid = null;
    this.wireCall();
    this.wireTabs();
    this.wireReply();
    this.settings = new Settings(this.find(".behaviour"), number);
  }

  find(selector) { return this.root.querySelector(selector); }

  wireCall() {
    for (const [selector, action] of [[".answer", "answer"], [".decline", "decline"], [".hang-up", "hang-up"]]) {
      this.find(selector).addEventListener("click", () => act(this.number, action));
    }
    for (const key of "123456789*0#") {
      const button = element("button", "", key);
      button.type = "button";
      button.addEventListener("click", () => act(this.number, "press", { digits: key }));
      this.find(".keypad").append(button);
    }
    // A keyboard's own digits work too while the call has the focus.
    this.find(".call").addEventListener("keydown", (event) => {
      if (/^[0-9*#]$/.test(event.key) && !this.find(".keypad").hidden) act(this.number, "press", { digits: event.key });
    });
  }

  wireTabs() {
    const tabs = [[".tab-messages", ".messages"], [".tab-calls", ".calls"]].map(([tab, panel], index) => {
      const pair = { tab: this.find(tab), panel: this.find(panel) };
      pair.tab.id = this.root.id + "-tab" + index;
      pair.panel.id = this.root.id + "-panel" + index;
      pair.tab.setAttribute("aria-controls", pair.panel.id);
      pair.panel.setAttribute("aria-labelledby", pair.tab.id);
      return pair;
    });
    const select = (chosen) => {
      for (const pair of tabs) {
        const on = pair === chosen;
        pair.tab.setAttribute("aria-selected", on);
        pair.tab.tabIndex = on ? 0 : -1;
        pair.panel.hidden = !on;
      }
    };
    tabs.forEach((pair, index) => {
      pair.tab.addEventListener("click", () => select(pair));
      pair.tab.addEventListener("keydown", (event) => {
        if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
        const other = tabs[(index + 1) % tabs.length];
        select(other);
        other.tab.focus();
      });
    });
  }

  wireReply() {
    const form = this.find(".reply");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const field = form.elements.text;
      const text = field.value.trim();
      if (text && (await act(this.number, "text", { text }))) field.value = "";
      field.focus();
    });
  }

  show(view) {
    const name = view.name || say("unknown");
    this.root.setAttribute("aria-label", `${name}, ${view.number}`);
    this.find(".name").textContent = name;
    this.find(".number").textContent = view.number;
    this.find(".avatar").textContent = initials(view.name);
    this.find(".language").textContent = view.language.toUpperCase();
    const badges = badgesOf(view);
    const list = this.find(".badges");
    list.hidden = !badges.length;
    if (JSON.stringify(badges) !== this.badgesKey) {
      this.badgesKey = JSON.stringify(badges);
      list.replaceChildren(...badges.map(({ kind, text }) => element("li", "badge " + kind, text)));
    }
    this.showLink(view, badges);
    this.settings.show(view);
    this.root.classList.toggle("uncovered", !view.behaviour.coverage);
    this.showThread(view);
    this.showCall(view.call);
    this.showHistory(view.calls);
  }

  // The overview on top of the page: who it is, what the phone does now, else how it behaves.
  showLink(view, badges) {
    const now = view.call?.ringing ? "incoming" : view.call?.machine ? "machine_talks" : view.call?.talking ? "in_call" : "";
    const state = [now && say(now), ...badges.map(({ text }) => text)].filter(Boolean);
    const key = JSON.stringify([view.name, state]);
    if (key === this.linkKey) return;
    this.linkKey = key;
    this.link.replaceChildren(element("span", "link-name", view.name || view.number));
    if (state.length) this.link.append(element("span", "link-state", state.join(" · ")));
    this.link.classList.toggle("odd", badges.some(({ kind }) => kind !== "duty"));
  }

  showThread(view) {
    const list = this.find(".thread");
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    const first = this.bubbles.size === 0;
    const sids = new Set(view.thread.map((message) => message.sid));
    for (const [sid, bubble] of this.bubbles) {
      if (!sids.has(sid)) { bubble.remove(); this.bubbles.delete(sid); }
    }
    list.querySelector(".empty")?.remove();
    if (!view.thread.length) list.append(element("li", "empty", say("no_messages")));
    let added = false;
    for (const message of view.thread) {
      if (this.bubbles.has(message.sid)) continue;
      const bubble = element("li", "bubble" + (message.mine ? " mine" : "") + (first ? "" : " new"));
      bubble.append(element("p", "text", message.text));
      const parts = message.segments > 1 ? " · " + say("parts", { n: message.segments }) : "";
      const late = message.at - message.written_at > 30 ? ` (${say("written", { time: time(message.written_at) })})` : "";
      const facts = `${message.mine ? say("you") : message.other} · ${time(message.at)}${late}${parts}`;
      bubble.append(element("p", "meta", facts));
      list.append(bubble);
      this.bubbles.set(message.sid, bubble);
      added = true;
    }
    if (added && (atEnd || first)) list.scrollTop = list.scrollHeight;
    const covered = view.behaviour.coverage;
    this.find(".reply").hidden = !view.can_reply || !covered;
    this.find(".reply input").setAttribute("aria-label", say("reply_label", { number: view.replies_to }));
    this.find(".no-reply").hidden = view.can_reply && covered;
    put(this.find(".no-reply"), covered ? say("no_reply", { sender: view.replies_to }) : say("nothing_sent"));
  }

  showCall(call) {
    const ringing = Boolean(call?.ringing), talking = Boolean(call?.talking);
    this.root.classList.toggle("ringing", ringing);
    this.root.classList.toggle("talking", talking);
    this.link.classList.toggle("ringing", ringing || (talking && !call.machine));
    // Dialling lasts a moment only: the panel appears once the phone rings.
    this.find(".call").hidden = !ringing && !talking;
    if (call?.sid !== this.callSid) this.forgetCall(call?.sid ?? null);
    if (!call) return;
    put(this.find(".call-state"), say(ringing ? "incoming" : call.machine ? "machine_talks" : "in_call"));
    put(this.find(".call-from"), call.from);
    this.find(".answer").hidden = this.find(".decline").hidden = !ringing;
    this.find(".hang-up").hidden = this.find(".keypad").hidden = !talking || call.machine;
    const waiting = talking && !call.captions.length ? say("waiting_voice") : "";
    put(this.find(".listening"), call.gathering && !call.machine ? say("listening") : waiting);
    for (const caption of call.captions.slice(this.captions)) this.speak(caption);
    this.captions = call.captions.length;
    const list = this.find(".thread");
    list.scrollTop = list.scrollHeight; // the call takes room from the thread
  }

  forgetCall(sid) {
    this.callSid = sid;
    this.captions = 0;
    this.timers.forEach(clearTimeout);
    this.timers = [];
    this.find(".captions").replaceChildren();
  }

  // A text is shown whole, its words growing bright as the voice reaches them.
  speak(caption) {
    const list = this.find(".captions");
    list.querySelectorAll(".word").forEach((word) => word.classList.add("spoken"));
    const line = element("p");
    line.lang = caption.language;
    line.append(element("span", "tag", caption.language));
    const words = caption.text.split(/\s+/);
    const spans = words.map((word) => element("span", "word", word + " "));
    line.append(...spans);
    list.append(line);
    list.scrollTop = list.scrollHeight;
    const step = calm.matches ? 0 : (caption.seconds * 1000) / words.length;
    spans.forEach((span, index) => {
      this.timers.push(setTimeout(() => {
        span.classList.add("spoken");
        const below = span.offsetTop + span.offsetHeight - list.offsetTop - list.clientHeight;
        if (list.scrollTop < below) list.scrollTop = below + 8;
      }, step * index));
    });
  }

  showHistory(calls) {
    const list = this.find(".history");
    const key = JSON.stringify(calls);
    if (key === this.historyKey) return;
    this.historyKey = key;
    list.replaceChildren();
    if (!calls.length) list.append(element("li", "empty", say("no_calls")));
    for (const call of [...calls].reverse()) {
      const item = element("li", "past");
      item.append(element("p", "outcome" + (call.status === "completed" ? "" : " missed"), say(call.status)));
      const facts = [call.from, time(call.at)];
      if (call.duration_s !== null) facts.push(say("seconds", { n: call.duration_s }));
      if (call.digits.length) facts.push(say("pressed", { digits: call.digits.join(" ") }));
      item.append(element("p", "meta", facts.join(" · ")));
      if (call.captions.length) {
        const details = element("details");
        details.append(element("summary", "", say("said")));
        for (const caption of call.captions) {
          const line = element("p", "", caption.text);
          line.lang = caption.language;
          details.append(line);
        }
        item.append(details);
      }
      list.append(item);
    }
  }
}

// What a phone does by itself, as two lists and a switch. Each change is sent at once; what the simulator says counts.
class Settings {
  constructor(root, number) {
    this.root = root;
    this.number = number;
    this.form = root.querySelector("form");
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("change", (event) => this.change(event.target));
    this.stop = root.querySelector(".stop");
    this.stop.addEventListener("click", () => act(number, "text", { text: this.optedOut ? "START" : "STOP" }));
    root.querySelector(".normal").addEventListener("click", () => send("PUT", `control/phones/${number}`, {}));
  }

  change(field) {
    if (field.type === "number" && !field.reportValidity()) return;
    const fields =
      field.name === "calls" ? CALLS[field.value]
      : field.name === "sms" ? smsFields(field.value)
      : { [field.name]: field.type === "checkbox" ? field.checked : field.valueAsNumber };
    send("PATCH", `control/phones/${this.number}`, fields);
  }

  show({ behaviour, opted_out }) {
    this.optedOut = opted_out;
    const fields = this.form.elements;
    set(fields.calls, callsOf(behaviour));
    set(fields.sms, smsOf(behaviour));
    set(fields.receipt_after_s, behaviour.receipt_after_s);
    set(fields.kept_s, behaviour.kept_s);
    fields.coverage.checked = behaviour.coverage;
    this.root.querySelector(".late").hidden = smsOf(behaviour) !== "late";
    this.root.querySelector(".kept").hidden = behaviour.coverage;
    put(this.stop, say(opted_out ? "send_start" : "send_stop"));
  }
}

const LATE_S = 120;
const CALLS = Object.fromEntries(
  ["hand", "machine", "busy", "decline", "no-answer", "unknown", "answer"].map((call) => [call, { call, digits: [] }]),
);
CALLS["1"] = { call: "answer", digits: ["1"] };
CALLS["2"] = { call: "answer", digits: ["2"] };
const callsOf = ({ call, digits }) => (call === "answer" && CALLS[digits[0]] ? digits[0] : call);

function smsFields(choice) {
  const receipts = { late: { receipt_after_s: LATE_S }, order: { out_of_order: true }, none: { receipt_after_s: null } };
  const fields = { sms_error: null, receipt_after_s: 0, out_of_order: false };
  return /^\d+$/.test(choice) ? { ...fields, sms_error: Number(choice) } : { ...fields, ...receipts[choice] };
}

function smsOf({ sms_error, receipt_after_s, out_of_order }) {
  if (sms_error !== null) return String(sms_error);
  if (receipt_after_s === null) return "none";
  return receipt_after_s > 0 ? "late" : out_of_order ? "order" : "normal";
}

// What is not as usual, in words: {kind, text}.
function badgesOf({ behaviour: b, opted_out, waiting, on_duty }) {
  const badges = [];
  const add = (kind, text) => badges.push({ kind, text });
  if (on_duty) add("duty", say("on_duty"));
  if (!b.coverage) add("away", say("no_coverage") + (waiting ? ` · ${say("waiting", { n: waiting })}` : ""));
  if (opted_out) add("away", say("stopped"));
  if (b.call !== "hand") add("odd", say("call_" + callsOf(b)));
  if (b.sms_error !== null) add("odd", say("sms_" + b.sms_error));
  if (b.receipt_after_s === null) add("odd", say("sms_none"));
  if (b.receipt_after_s > 0) add("odd", say("badge_late", { n: b.receipt_after_s }));
  if (b.out_of_order) add("odd", say("sms_order"));
  return badges;
}

// A field somebody is at is left alone.
function set(field, value) {
  if (field !== document.activeElement && field.value !== String(value ?? "")) field.value = value ?? "";
}

// Status texts are announced by screen readers when they change, so only then are they touched.
function put(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

function initials(name) {
  const words = name.split(/\s+/).filter((word) => /^\p{L}/u.test(word)); // not "(D1)"
  return (words.length > 1 ? words[0][0] + words[words.length - 1][0] : name.slice(0, 2)).toUpperCase() || "?";
}

function show(view) {
  let card = cards.get(view.number);
  if (!card) {
    card = new Card(view.number);
    cards.set(view.number, card);
    main.append(card.root);
    jump.append(card.link);
  }
  card.show(view);
  none.hidden = true;
  jump.hidden = cards.size < 2;
}

const trouble = document.getElementById("trouble");
let troubleTimer;
function complain(text) {
  trouble.textContent = text;
  trouble.hidden = false;
  clearTimeout(troubleTimer);
  troubleTimer = setTimeout(() => { trouble.hidden = true; }, 6000);
}

const act = (number, action, body = {}) => send("POST", `phones/${encodeURIComponent(number)}/${action}`, body);

async function send(method, path, body) {
  try {
    const response = await fetch(path, {
      method,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (response.ok) return true;
    complain(say("failed_action", { why: (await response.json()).error ?? response.status }));
  } catch {
    complain(say("lost_action"));
  }
  return false;
}

const connection = document.getElementById("connection");
let heard = null; // when the simulator last said anything
let watchdog;
function alive() {
  heard = new Date();
  connection.dataset.state = "live";
  put(connection, say("live"));
  clearTimeout(watchdog);
  watchdog = setTimeout(() => { stale(); listen(); }, beat_s * 2500);
}
function stale() {
  if (!heard) return;
  connection.dataset.state = "stale";
  put(connection, say("stale", { time: clockSeconds.format(heard) }));
}

let source;
let again;
function listen() {
  source?.close();
  clearTimeout(again);
  source = new EventSource("events");
  source.addEventListener("state", (event) => {
    alive();
    const views = JSON.parse(event.data);
    const numbers = new Set(views.map((view) => view.number));
    for (const [number, card] of cards) { // a restarted simulator may know fewer phones
      if (!numbers.has(number)) { card.root.remove(); card.link.remove(); cards.delete(number); }
    }
    views.forEach(show);
    none.hidden = cards.size > 0;
    jump.hidden = cards.size < 2;
  });
  source.addEventListener("phone", (event) => { alive(); show(JSON.parse(event.data)); });
  source.addEventListener("beat", alive);
  source.addEventListener("error", () => {
    stale();
    // The browser tries again by itself, except after an answer it takes as final.
    if (source.readyState === EventSource.CLOSED) again = setTimeout(listen, 1000);
  });
}
listen();
