// The course: the lessons in their order, each with its run beside it, and questions that the run answers. What is right is asked
// of the run itself, made here by the same module as the figure. What was seen is kept in this browser, and nowhere else.

const $ = (tag, props = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), props);
  element.append(...children);
  return element;
};

const lessons = await (await fetch(new URL("lessons.json", document.baseURI))).json();
const course = document.getElementById("course");

const PLACE = "raftbox lessons";

function seen() {
  try {
    return JSON.parse(localStorage.getItem(PLACE)) ?? {};
  } catch {
    return {};
  }
}

function see(name) {
  try {
    localStorage.setItem(PLACE, JSON.stringify({ ...seen(), [name]: true }));
  } catch {
    // Where nothing may be kept, nothing is.
  }
}

const link = (name, text) => $("a", { href: `#${name}`, className: seen()[name] ? "seen" : "" }, text);

function contents() {
  document.title = "raftbox: a course";
  const done = lessons.filter(({ name }) => seen()[name]).length;
  const list = $("div", { className: "contents" });
  let chapter, items;
  lessons.forEach(({ name, title, topic }, index) => {
    if (topic !== chapter) {
      chapter = topic;
      items = $("ol", { start: index + 1 });
      list.append($("h2", {}, topic), items);
    }
    items.append($("li", {}, link(name, title)));
  });
  course.replaceChildren(
    $("nav", {}, $("a", { href: "index.html" }, "the sandbox")),
    $("h1", {}, "Raft in twenty-four situations"),
    $("p", {}, "Each is a real run of a cluster: read why it matters, say what you expect, and let the run answer. You can step through each, and change it."),
    $("p", { className: "faint", id: "progress" }, `${done} of ${lessons.length} done`),
    list,
  );
}

let made;

// The module that makes runs; it is loaded when the first question is answered.
function engine() {
  made ??= import("./raftbox.js").then(async (module) => {
    await module.default();
    return module;
  });
  return made;
}

async function bytes(path) {
  const answer = await fetch(new URL(path, document.baseURI));
  if (!answer.ok) throw new Error(`${path}: there is no such file here`);
  return new Uint8Array(await answer.arrayBuffer());
}

// Which facts are so in the run of a scenario, or of a variant of it. The run is not kept: its nodes take memory.
async function asked(name, facts, guest) {
  const { Plan, Run } = await engine();
  const plan = Plan.read(await bytes(`scenarios/${name.replace(":", ".")}.run`));
  const { admit } = await import("./guest.js");
  const run = new Run(plan, guest ? await admit(await bytes(`guests/${guest}.wasm`), plan.arena()) : undefined);
  try {
    while (run.step(2000)) await new Promise((resume) => setTimeout(resume, 0));
    return facts.map((fact) => run.ask(fact));
  } finally {
    run.free();
  }
}

function question({ ask, variant, guest, options, told }, index, name, done) {
  const whole = variant ? `${name}:${variant}` : name;
  const answer = $("p", { role: "status" });
  let latest = 0;
  const choose = async (chosen) => {
    answer.textContent = "The run is made …";
    const asks = ++latest;
    try {
      const so = await asked(whole, options.map(([, fact]) => fact), guest);
      // Somebody has chosen anew meanwhile.
      if (asks !== latest) return;
      const right = so.indexOf(true);
      const sign = chosen === right ? $("strong", { className: "right" }, "✓ So it is. ") : $("strong", { className: "wrong" }, `✗ The run says: ${options[right]?.[0]}. `);
      answer.replaceChildren(sign, `${told} `, $("code", { className: "faint" }, `(${options[right]?.[1]})`));
      done();
    } catch (error) {
      answer.textContent = `The run cannot be made: ${error.message ?? error}.`;
    }
  };
  const option = ([text], place) => {
    const input = $("input", { type: "radio", name: `question-${index}`, onchange: () => choose(place) });
    return $("label", {}, input, " ", text);
  };
  return $("fieldset", { className: "question" }, $("legend", {}, ask), ...options.map(option), answer);
}

function lesson(index) {
  const { name, title, topic, why, watch, questions, variants } = lessons[index];
  document.title = `raftbox: ${title}`;
  const around = (place, text) => (lessons[place] ? [link(lessons[place].name, text)] : []);
  const figure = $("raft-sandbox");
  const open = $("a", { target: "_blank", rel: "noopener" }, "open it, to change it");
  const about = $("p", { className: "faint" });
  const buttons = [];
  const show = (whole, text) => {
    figure.setAttribute("scenario", whole);
    open.href = `index.html#scenario=${whole}&seed=1`;
    about.textContent = text;
    for (const button of buttons) button.ariaPressed = String(button.value === whole);
  };
  const choices = [{ name: "as it should be", whole: name, about: "" }, ...variants.map((variant) => ({ ...variant, whole: `${name}:${variant.name}` }))];
  for (const { name: called, whole, about: text, broken } of choices) {
    const onclick = () => show(whole, broken ? `✗ a broken node: ${broken} ${text}` : text);
    buttons.push($("button", { type: "button", value: whole, onclick }, broken ? `${called} ✗` : called));
  }
  let left = questions.length;
  const done = () => {
    left -= 1;
    if (left <= 0) see(name);
  };
  const asks = questions.map((one, place) => {
    let counts = true;
    return question(one, place, name, () => {
      if (counts) done();
      counts = false;
    });
  });
  show(name, "");
  course.replaceChildren(
    $("nav", { ariaLabel: "lessons" }, $("a", { href: "#" }, "contents"), ...around(index - 1, "‹ back"), ...around(index + 1, "next ›"), $("span", { className: "faint" }, `${index + 1} of ${lessons.length}: ${topic}`)),
    $("h1", { tabIndex: -1 }, title),
    $("div", { className: "lesson" },
      $("div", { className: "text" },
        $("p", {}, why),
        $("h3", {}, "Watch for this"),
        $("ul", {}, ...watch.map((text) => $("li", {}, text)))),
      $("div", { className: "asked" },
        $("h3", {}, "What do you expect?"),
        ...asks,
        ...around(index + 1, "next ›")),
      $("div", { className: "figure" },
        ...(variants.length ? [$("div", { role: "group", ariaLabel: "variants" }, ...buttons)] : []),
        about,
        figure,
        $("p", {}, open))),
  );
}

// Shows what the address names.
function turn() {
  const name = location.hash.slice(1);
  const index = lessons.findIndex((lesson) => lesson.name === name);
  if (index < 0) contents();
  else lesson(index);
  scrollTo(0, 0);
  course.querySelector("h1").focus?.({ preventScroll: true });
}

addEventListener("hashchange", turn);
turn();
