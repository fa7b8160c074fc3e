// Guests that somebody brings: the gate proves them, in a module that is loaded when the first one comes.

let gate;

// The guest as `Run` takes it; throws with all that keeps it out.
export async function admit(guest, arena) {
  gate ??= import("./gate.js").then(async (module) => {
    await module.default();
    return module;
  });
  return (await gate).admit(guest, arena);
}
