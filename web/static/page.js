// Starts the page.

import init, { mount } from "./raftbox.js";

try {
  await init();
  mount();
} catch (error) {
  const told = document.createElement("p");
  told.setAttribute("role", "alert");
  told.textContent = `raftbox cannot run here: ${error.message ?? error}. It needs a current browser.`;
  document.body.append(told);
}
