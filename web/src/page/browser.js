// What the page asks of the browser beside drawing: files, the address, the clipboard, and frames.

// Where the whole page is one document, what finds its files.
const whole = globalThis.raftbox;

// Gives `done` the bytes of a file that lies where the page does, or what went wrong.
export async function load(path, done) {
  try {
    if (whole) return done(await whole.file(path), "");
    const answer = await fetch(new URL(path, document.baseURI));
    if (!answer.ok) return done(undefined, `${path}: there is no such file here`);
    done(new Uint8Array(await answer.arrayBuffer()), "");
  } catch {
    done(undefined, `${path} cannot be loaded; is the page still being served?`);
  }
}

// The file that somebody picked in an input, which can then be picked again.
function chosen(id) {
  const input = document.getElementById(id);
  const [file] = input.files;
  input.value = "";
  return file;
}

// Gives `done` the bytes of the file that somebody picked in an input.
export async function picked(id, done) {
  const file = chosen(id);
  if (!file) return;
  try {
    done(new Uint8Array(await file.arrayBuffer()), "");
  } catch {
    done(undefined, `${file.name} cannot be read`);
  }
}

// Lets somebody save bytes as a file.
export function save(name, kind, bytes) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes.slice()], { type: kind }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// The picture as it is drawn now, with the style that it has from the page.
export function picture(id) {
  const drawn = document.getElementById(id);
  const copy = drawn.cloneNode(true);
  const names = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "font", "text-anchor", "opacity", "visibility", "display"];
  const style = (from, to) => {
    const computed = getComputedStyle(from);
    for (const name of names) to.setAttribute(name, computed.getPropertyValue(name));
    [...from.children].forEach((child, index) => style(child, to.children[index]));
  };
  style(drawn, copy);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return new XMLSerializer().serializeToString(copy);
}

let later;

// The module that has what few need; it is loaded when it is needed first.
function more() {
  const fetched = async () => {
    const module = await import(whole ? await whole.script("gate.js") : new URL("gate.js", document.baseURI));
    await module.default(whole && { module_or_path: await whole.file("gate_bg.wasm") });
    return module;
  };
  later ??= fetched();
  return later;
}

let gate;
const guests = new Map();

// Has the gate judge a guest, and gives `done` what it gave, or why it refuses. A guest that was admitted is kept by its hash.
async function judge(name, bytes, arena, done) {
  try {
    gate = await more();
    const admitted = gate.admit(bytes, BigInt(arena));
    const head = new TextDecoder().decode(admitted.subarray(0, admitted.indexOf(10)));
    guests.set(JSON.parse(head).sha256, bytes);
    done(admitted, "");
  } catch (error) {
    done(undefined, `${name} cannot be run as a guest: ${error.message ?? error}`);
  }
}

// The same for the guest that somebody picked in an input.
export function bring(id, arena, done) {
  const { name } = document.getElementById(id).files[0] ?? {};
  picked(id, (bytes, problem) => (bytes ? judge(name, bytes, arena, done) : done(undefined, problem)));
}

// The same for one that lies where the page does.
export function bringFrom(path, arena, done) {
  load(path, (bytes, problem) => (bytes ? judge(path, bytes, arena, done) : done(undefined, problem)));
}

// What the gate gives of a guest that it has admitted before.
export function admitted(hash, arena) {
  try {
    return gate.admit(guests.get(hash), BigInt(arena));
  } catch {
    return undefined;
  }
}

// Gives `done` what a link leads to: a run file, how many events had happened, and the first digits of the digest.
export async function linked(text, guest, done) {
  try {
    const link = new (await more()).Linked(text, guest);
    done(link.file(), Number(link.events()), link.digest(), "");
  } catch (error) {
    done(undefined, 0, "", error.message ?? String(error));
  }
}

// Makes the link to a plan. It goes into a window of its own, or into the address, and the clipboard where that is allowed.
export async function link(file, events, digest, window, done) {
  // What is given lies in the memory of the page's module, and only until this waits.
  const plan = file.slice();
  try {
    const text = (await more()).share(plan, BigInt(events), digest);
    if (window) {
      const address = whole ? location.href.split("#")[0] : new URL("index.html", document.baseURI);
      open(`${address}#${text}`, "_blank", "noopener");
    } else {
      history.replaceState(null, "", `#${text}`);
      navigator.clipboard?.writeText(location.href).catch(() => {});
    }
    done("");
  } catch (error) {
    done(error.message ?? String(error));
  }
}

// Leaves out what surrounds the cluster, and tells the page around this one how high it is.
export function embed() {
  document.body.classList.add("embed");
  const tell = () => parent.postMessage({ raftbox: document.body.scrollHeight }, "*");
  if (parent !== window) new ResizeObserver(tell).observe(document.body);
}

export function still() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

// Shows a lesson beside the run of a scenario, or none; what does that is loaded with the first lesson.
export async function lesson(name, scenario) {
  if (whole || (!name && !document.body.classList.contains("taught"))) return;
  const { show } = await import(new URL("lesson.js", document.baseURI));
  show(name, scenario);
}

// Tells whoever listens that a run is known to its end.
export function over() {
  document.dispatchEvent(new Event("raftbox"));
}

export function fragment() {
  return location.hash.slice(1);
}

export function fragments(changed) {
  addEventListener("hashchange", () => changed(fragment()));
}

let clock = 0;

// Calls `frame` with the microseconds since the last frame, until it says that no more are wanted, or another is called.
export function frames(frame) {
  const ours = ++clock;
  let before;
  const next = (now) => {
    if (ours !== clock) return;
    const passed = before === undefined ? 0 : Math.round((now - before) * 1000);
    before = now;
    if (frame(Math.min(passed, 250_000))) requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
}

// Shows the cluster alone and large, or as before.
export function present() {
  if (presented()) return;
  document.body.classList.add("presenter");
  document.documentElement.requestFullscreen?.().catch(() => {});
}

// The browser keeps the key that leaves the full screen to itself.
document.addEventListener("fullscreenchange", () => {
  if (!document.fullscreenElement) document.body.classList.remove("presenter");
});

// Ends that, and tells whether it was so.
export function presented() {
  const was = document.body.classList.contains("presenter");
  document.body.classList.remove("presenter");
  if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
  return was;
}

// Marks that people can use the page now, for whoever measures.
export function interactive() {
  performance.mark("interactive");
}

const PLACE = "raftbox branches";

// What was stored last in this tab.
export function remembered() {
  try {
    return sessionStorage.getItem(PLACE) ?? "";
  } catch {
    return "";
  }
}

// Keeps a text for when the tab is loaded anew, and tells whether the browser had room. In somebody else's page nothing is stored.
export function store(text) {
  if (document.body.classList.contains("embed")) return true;
  try {
    if (text === "[]") sessionStorage.removeItem(PLACE);
    else sessionStorage.setItem(PLACE, text);
    return true;
  } catch {
    return false;
  }
}
