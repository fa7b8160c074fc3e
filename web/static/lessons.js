// The lessons, in their order, and what somebody has done of them: that is kept in this browser, and nowhere else.

const answer = await fetch(new URL("lessons.json", document.baseURI));
export const lessons = answer.ok ? await answer.json() : [];

const PLACE = "raftbox lessons";

// An element with properties and children.
export function element(tag, props = {}, ...children) {
  const made = Object.assign(document.createElement(tag), props);
  made.append(...children);
  return made;
}

// All that was kept.
function kept() {
  try {
    return JSON.parse(localStorage.getItem(PLACE)) ?? {};
  } catch {
    return {};
  }
}

// What was done of a lesson: `answered`, and `reached` if its goal was.
export const done = (name) => kept()[name] ?? {};

// Keeps that something of a lesson was done.
export function keep(name, what) {
  try {
    localStorage.setItem(PLACE, JSON.stringify({ ...kept(), [name]: { ...done(name), [what]: true } }));
  } catch {
    // Where nothing may be kept, nothing is.
  }
}
