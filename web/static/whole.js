// Starts the page where all of it is one document, as `raftbox run --html` writes it: there is no server to ask, so every file
// of the page is in the document, packed, and found by its path.

const packed = JSON.parse(document.getElementById("files").textContent);

// The bytes of a file.
async function file(path) {
  if (!Object.hasOwn(packed, path)) throw new Error(`there is no ${path} in this document`);
  const bytes = Uint8Array.from(atob(packed[path]), (char) => char.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}

const modules = new Map();

// The address of a script, in which the addresses of what it imports stand in place of their paths.
function script(path) {
  if (!modules.has(path)) modules.set(path, linked(path));
  return modules.get(path);
}

async function linked(path) {
  const imports = /from ["']\.\/([^"']+)["']/g;
  const text = new TextDecoder().decode(await file(path));
  const addresses = new Map();
  for (const [, name] of text.matchAll(imports)) addresses.set(name, await script(name));
  const bound = text.replaceAll(imports, (_, name) => `from "${addresses.get(name)}"`);
  return URL.createObjectURL(new Blob([bound], { type: "text/javascript" }));
}

globalThis.raftbox = { file, script };
// There is no course in the document to lead to.
document.body.classList.add("whole");

try {
  if (!location.hash) {
    const guest = Object.hasOwn(packed, "given.wasm") ? "&guest=given.wasm" : "";
    history.replaceState(null, "", `#run=given.run${guest}`);
  }
  const { default: init, mount } = await import(await script("raftbox.js"));
  await init({ module_or_path: await file("raftbox_bg.wasm") });
  mount();
} catch (error) {
  const told = document.createElement("p");
  told.setAttribute("role", "alert");
  told.textContent = `raftbox cannot run here: ${error.message ?? error}. It needs a current browser.`;
  document.body.append(told);
}
