// The course: its lessons by chapter, and an index by what they are about.

import { done, element, lessons } from "./lessons.js";

const link = (name, title) => element("a", { href: `index.html#lesson=${name}`, className: done(name).answered ? "done" : "" }, title);

const answered = lessons.filter(({ name }) => done(name).answered).length;
const goals = lessons.filter(({ goal }) => goal);
const reached = goals.filter(({ name }) => done(name).reached).length;
document.getElementById("progress").textContent = `${answered} of ${lessons.length} lessons done, ${reached} of ${goals.length} goals reached`;

const contents = document.getElementById("contents");
let chapter, items;
lessons.forEach(({ name, title, topic }, index) => {
  if (topic !== chapter) {
    chapter = topic;
    items = element("ol", { start: index + 1 });
    contents.append(element("h2", {}, topic), items);
  }
  items.append(element("li", {}, link(name, title)));
});

const about = new Map();
for (const { name, title, about: words } of lessons) {
  for (const word of words) about.set(word, [...(about.get(word) ?? []), link(name, title)]);
}
const rows = [...about].sort(([one], [other]) => one.localeCompare(other, "en"));
document.getElementById("index").append(
  ...rows.map(([word, links]) => element("div", {}, element("dt", {}, word), ...links.map((one) => element("dd", {}, one)))),
);
