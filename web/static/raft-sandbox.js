// <raft-sandbox scenario="tour" seed="1"></raft-sandbox>: a run of a Raft cluster, in any page.
//
// It needs this folder beside the page and nothing else: no server, no cookie, nothing from elsewhere. What it shows is the page
// itself in a frame, without what surrounds the cluster; it is loaded when it comes into view, and does not move until
// somebody plays it. `link="..."` shows what a shared link leads to, in place of a scenario and a seed; `lesson="..."` a lesson
// and its run.

class RaftSandbox extends HTMLElement {
  static observedAttributes = ["scenario", "seed", "link", "lesson"];

  #frame;
  #seen;

  connectedCallback() {
    this.style.display = "block";
    if (!this.style.minHeight) this.style.minHeight = "420px";
    this.#seen = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) this.#load();
    }, { rootMargin: "200px" });
    this.#seen.observe(this);
    addEventListener("message", this.#resize);
  }

  disconnectedCallback() {
    this.#seen.disconnect();
    removeEventListener("message", this.#resize);
    this.#frame?.remove();
    this.#frame = undefined;
  }

  attributeChangedCallback() {
    if (this.#frame) this.#frame.src = this.#address();
  }

  #address() {
    const [link, lesson] = ["link", "lesson"].map((name) => this.getAttribute(name));
    const scenario = { scenario: this.getAttribute("scenario") ?? lesson ?? "tour", seed: this.getAttribute("seed") ?? "1" };
    const what = new URLSearchParams({ ...(link ? { link } : scenario), ...(lesson ? { lesson } : {}) });
    return new URL(`index.html#embed&${what}`, import.meta.url).href;
  }

  #load() {
    this.#seen.disconnect();
    if (this.#frame) return;
    const frame = document.createElement("iframe");
    frame.title = `A Raft cluster: ${this.getAttribute("scenario") ?? this.getAttribute("lesson") ?? "a shared run"}`;
    frame.style.cssText = "width: 100%; height: 100%; min-height: inherit; border: 0; display: block";
    frame.src = this.#address();
    this.#frame = frame;
    this.append(frame);
  }

  // The frame says how high it would be.
  #resize = ({ source, data }) => {
    if (source === this.#frame?.contentWindow && Number.isFinite(data?.raftbox)) this.#frame.style.height = `${data.raftbox}px`;
  };
}

customElements.define("raft-sandbox", RaftSandbox);
