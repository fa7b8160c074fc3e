// The page: runs what the form says, a few steps in each task, so that it stays alive, and shows what came of it.
//
// `#run=PATH` in the address opens the run file at that path.

import init, { Plan, Run, guest } from "./raftbox.js";

// How many steps are taken between two looks at what else there is to do: some milliseconds' worth.
const STEPS = 2000;

const form = document.getElementById("what");
const show = (name, text) => (document.getElementById(name).textContent = text);

// The run that is going on; another one takes its place.
let current;

function report(run) {
  show("time", `${run.time() / 1000000n}.${String(run.time() % 1000000n).padStart(6, "0")} s`);
  show("events", run.events());
  show("turns", run.turns());
  show("digest", run.digest());
}

async function play(plan) {
  const run = new Run(plan);
  current?.free();
  current = run;
  show("state", `Running ${plan.scenario()}, seed ${plan.seed()}`);
  document.getElementById("verdicts").replaceChildren();
  while (run.step(STEPS)) {
    report(run);
    await new Promise((resume) => setTimeout(resume));
    if (current !== run) return;
  }
  report(run);
  const lines = run.verdicts().map((line) => Object.assign(document.createElement("li"), { textContent: line }));
  document.getElementById("verdicts").replaceChildren(...lines);
  const before = plan.digest();
  const compared = before === undefined ? "" : before === run.digest() ? ", as in the file" : ", and not as in the file";
  show("state", `Done: ${plan.scenario()}, seed ${plan.seed()}${compared}`);
}

// The bytes of a file that lies where the page does.
async function load(path) {
  const answer = await fetch(new URL(path, location.href));
  if (!answer.ok) throw new Error(`${path}: there is no such file here`);
  return new Uint8Array(await answer.arrayBuffer());
}

// Does something that may fail with a message for people.
async function attempt(what) {
  try {
    await what();
  } catch (error) {
    show("state", `Error: ${error.message ?? error}`);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { scenario, seed } = Object.fromEntries(new FormData(form));
  attempt(async () => {
    const plan = Plan.read(await load(`scenarios/${scenario}.run`));
    await play(plan.with_seed(BigInt.asUintN(64, BigInt(seed))));
  });
});

await init();
const list = JSON.parse(new TextDecoder().decode(await load("scenarios/list.json")));
form.elements.scenario.replaceChildren(...list.map(({ name }) => new Option(name)));
show("guest", guest());
const given = new URLSearchParams(location.hash.slice(1)).get("run");
if (given === null) show("state", "Ready");
else await attempt(async () => play(Plan.read(await load(given))));
