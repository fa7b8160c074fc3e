// A lesson beside its run, in the page itself: why it matters, what to watch for, questions that runs answer, and a goal that the
// checkers notice. It is loaded when the address names a lesson, and asks the page's module for what is so.

import { Plan, Run, reached } from "./raftbox.js";
import { done, element, keep, lessons } from "./lessons.js";

document.head.append(element("link", { rel: "stylesheet", href: new URL("lesson.css", document.baseURI) }));

// The lesson that is shown: its place among all, and what to do when another run of it is shown.
let shown;

async function bytes(path) {
  const answer = await fetch(new URL(path, document.baseURI));
  if (!answer.ok) throw new Error(`${path}: there is no such file here`);
  return new Uint8Array(await answer.arrayBuffer());
}

// Which of the facts are so in the run of a scenario, or of a variant of it. The run is not kept: its nodes take memory.
async function ask(scenario, facts, guest) {
  const plan = Plan.read(await bytes(`scenarios/${scenario.replace(":", ".")}.run`));
  const { admit } = await import("./guest.js");
  const run = new Run(plan, guest ? await admit(await bytes(`guests/${guest}.wasm`), plan.arena()) : undefined);
  try {
    while (run.step(2000)) await new Promise((resume) => setTimeout(resume, 0));
    return facts.map((fact) => run.ask(fact));
  } finally {
    run.free();
  }
}

// A question. It counts once, whatever was chosen: what matters is that somebody thought before the run was seen.
function question({ ask: asks, variant, guest, options, told }, place, name, count) {
  const scenario = variant ? `${name}:${variant}` : name;
  const answer = element("p", { role: "status" });
  let latest = 0;
  // What its run says: that is made once, whatever is chosen, unless it could not be made.
  let says;
  const choose = async (chosen) => {
    const mine = ++latest;
    answer.textContent = "The run is made …";
    try {
      says ??= ask(scenario, options.map(([, fact]) => fact), guest);
      const so = await says;
      // Somebody may have chosen anew meanwhile.
      if (mine !== latest) return;
      const right = so.indexOf(true);
      const sign = chosen === right ? element("strong", { className: "right" }, "✓ So it is. ") : element("strong", { className: "wrong" }, `✗ The run says: ${options[right]?.[0]}. `);
      const watch = variant ? [" ", element("a", { href: `#lesson=${name}&scenario=${scenario}` }, "Watch that run")] : [];
      answer.replaceChildren(sign, `${told} `, element("code", { className: "faint" }, `(${options[right]?.[1]})`), ...watch);
      count();
    } catch (error) {
      says = undefined;
      answer.textContent = `The run cannot be made: ${error.message ?? error}.`;
    }
  };
  const option = ([text], index) => {
    const input = element("input", { type: "radio", name: `question-${place}`, onchange: () => choose(index) });
    return element("label", {}, input, text);
  };
  return element("fieldset", {}, element("legend", {}, asks), ...options.map(option), answer);
}

// The variants, each a way to its run.
function variants({ name, variants: all }) {
  if (!all.length) return [];
  const choices = [{ name: "as it should be", whole: name }, ...all.map((one) => ({ ...one, whole: `${name}:${one.name}` }))];
  const choice = ({ name: called, whole, about, broken }) =>
    element("a", { href: `#lesson=${name}&scenario=${whole}`, title: about ?? "", id: `run-${whole}` }, broken ? `${called} ✗` : called);
  return [element("h3", {}, "Its runs"), element("div", { className: "runs" }, ...choices.map(choice))];
}

// The goal, and whether what somebody did has reached it.
function goal({ name, goal: aim }) {
  if (!aim) return { parts: [], look: () => {} };
  const { what, scenario, violates, fact } = aim;
  const status = element("p", { role: "status", id: "goal" });
  const look = (over) => {
    // What is shown may be the run before, as long as this one is not known to its end.
    const so = over && reached(scenario, violates, fact);
    // To look at one way to do it is no doing.
    const given = location.hash.includes("&run=lessons/");
    if (so && !given) keep(name, "reached");
    const ever = done(name).reached;
    status.className = ever || so ? "right" : "faint";
    status.textContent = so && given ? "✓ This is one way." : ever ? "✓ Reached." : "◆ Not reached yet.";
  };
  const ways = [
    element("a", { href: `#lesson=${name}&scenario=${scenario}` }, "begin here"), " · ",
    element("a", { href: `#lesson=${name}&run=lessons/${name}.run` }, "one way to do it"),
  ];
  return { parts: [element("h3", {}, "By hand"), element("p", {}, `${what} `, ...ways), status], look };
}

// What is told of the lesson at this place.
function column(place) {
  const lesson = lessons[place];
  const { name, title, topic, why, watch, questions } = lesson;
  const around = (other, text) => (lessons[other] ? [element("a", { href: `#lesson=${lessons[other].name}` }, text)] : []);
  const left = new Set(questions.keys());
  const count = (index) => {
    left.delete(index);
    if (!left.size) keep(name, "answered");
  };
  const { parts, look } = goal(lesson);
  const aside = element("aside", { id: "lesson", ariaLabel: "Lesson" },
    element("nav", { ariaLabel: "Lessons" }, element("a", { href: "course.html" }, "contents"), ...around(place - 1, "‹ back"), ...around(place + 1, "next ›"), element("a", { href: `#scenario=${name}&seed=1` }, "close")),
    element("p", { className: "faint" }, `${place + 1} of ${lessons.length}: ${topic}`),
    element("h2", { tabIndex: -1 }, title),
    element("p", {}, why),
    element("h3", {}, "Watch for this"),
    element("ul", {}, ...watch.map((text) => element("li", {}, text))),
    element("h3", {}, "What do you expect?"),
    ...questions.map((one, index) => question(one, index, name, () => count(index))),
    ...variants(lesson),
    ...parts,
    element("nav", { ariaLabel: "Lessons" }, ...(lessons[place + 1] ? around(place + 1, "next ›") : [element("a", { href: "course.html" }, "contents")])));
  return { place, aside, look };
}

// Shows a lesson beside the run of a scenario; no lesson, if there is none of that name.
export function show(name, whole) {
  const place = lessons.findIndex((lesson) => lesson.name === name);
  if (shown && shown.place !== place) {
    shown.aside.remove();
    shown = undefined;
  }
  document.body.classList.toggle("taught", place >= 0);
  if (place < 0) return;
  if (!shown) {
    shown = column(place);
    document.querySelector("main").prepend(shown.aside);
    shown.aside.scrollTop = 0;
    shown.aside.querySelector("h2").focus({ preventScroll: true });
  }
  for (const run of shown.aside.querySelectorAll(".runs a")) run.ariaCurrent = String(run.id === `run-${whole}`);
  shown.look(false);
}

// Another run is known to its end.
document.addEventListener("raftbox", () => shown?.look(true));
