// What the engine needs of JavaScript: to compile and instantiate, to enter a guest so that whatever it throws ends here,
// and to reach its memory and globals. It decides nothing.
//
// A guest's imports are functions that the page's own module exports, so they are called without passing through here.
// One that ends the turn traps; the trap unwinds the guest and arrives in `Instance.caught`. What it leaves behind is
// the page's shadow stack, as deep as it was in the import, so that is put back as it was.

// How a call ended. The numbers are `engine.rs`'s.
const RETURNED = 0;
const TRAPPED = 1;
const FAILED = 2;

// The page's module: its exports, its memory, its stack pointer.
let page;
// The compiled copier, where this browser can run it.
let copier;
// What was last thrown, for people.
let thrown = "";

// How often a guest of somebody's may loop and call in a turn. Honest turns need some thousands, long ones a million.
const TURN = 200_000_000n;
// The name of the global in which it counts that down; the built-in guest has none.
const COUNTER = "raftbox turns left";

export function prepare(exports, memory, bytes) {
  page = { exports, memory, stack: exports.__stack_pointer };
  copier = WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : undefined;
}

export function why() {
  return thrown;
}

export function text(error) {
  return String(error);
}

// Copies where no module can: a view for each side. A view of the page's memory dies when that grows, so it is made anew.
function copyByViews(guest) {
  const there = new Uint8Array(guest.buffer);
  const words = new Uint32Array(guest.buffer);
  return {
    read: (into, at, len) => new Uint8Array(page.memory.buffer, into, len).set(there.subarray(at, at + len)),
    write: (at, from, len) => there.set(new Uint8Array(page.memory.buffer, from, len), at),
    used: (at, end) => {
      while (at < end && words[at / 4] === 0) at += 4;
      return at;
    },
  };
}

export class Guest {
  constructor(bytes) {
    this.module = new WebAssembly.Module(bytes);
    this.imports = {};
    for (const { module, name } of WebAssembly.Module.imports(this.module)) {
      (this.imports[module] ??= {})[name] = page.exports[`raftbox_${name}`];
    }
  }
}

export class Instance {
  constructor(guest, globals) {
    const { exports } = new WebAssembly.Instance(guest.module, guest.imports);
    this.exports = exports;
    this.globals = globals.map((name) => exports[name]);
    this.copy = copier
      ? new WebAssembly.Instance(copier, { page: { memory: page.memory }, guest: { memory: exports.memory } }).exports
      : copyByViews(exports.memory);
    this.failed = RETURNED;
    this.counter = exports[COUNTER];
  }

  // A call begins; what stands here is what the page's stack has to be again if it throws.
  begin() {
    if (this.counter !== undefined) this.counter.value = TURN;
    return page.stack.value;
  }

  caught(error, stack) {
    page.stack.value = stack;
    thrown = String(error);
    if (this.counter !== undefined && this.counter.value < 0n) {
      thrown = `it did not end: it looped and called more than ${TURN} times`;
      return FAILED;
    }
    return error instanceof WebAssembly.RuntimeError ? TRAPPED : FAILED;
  }

  initialize() {
    const stack = this.begin();
    try {
      this.exports._initialize?.();
      return RETURNED;
    } catch (error) {
      return this.caught(error, stack);
    }
  }

  version() {
    const stack = this.begin();
    try {
      return this.exports.abi_version();
    } catch (error) {
      this.caught(error, stack);
      return undefined;
    }
  }

  // Where there is room for an argument: nowhere in a memory, if the guest does not say; `failure` then tells how.
  buffer(len) {
    const stack = this.begin();
    try {
      return this.exports.buffer(len);
    } catch (error) {
      this.failed = this.caught(error, stack);
      return 0xffffffff;
    }
  }

  failure() {
    const failed = this.failed;
    this.failed = RETURNED;
    return failed;
  }

  boot(len) {
    const stack = this.begin();
    try {
      this.exports.boot(len);
      return RETURNED;
    } catch (error) {
      return this.caught(error, stack);
    }
  }

  deliver(from, len) {
    const stack = this.begin();
    try {
      this.exports.deliver(from, len);
      return RETURNED;
    } catch (error) {
      return this.caught(error, stack);
    }
  }

  wake() {
    const stack = this.begin();
    try {
      this.exports.wake();
      return RETURNED;
    } catch (error) {
      return this.caught(error, stack);
    }
  }

  request(client, operation, len) {
    const stack = this.begin();
    try {
      this.exports.request(client, operation, len);
      return RETURNED;
    } catch (error) {
      return this.caught(error, stack);
    }
  }

  synced(ticket, status) {
    const stack = this.begin();
    try {
      this.exports.synced(ticket, status);
      return RETURNED;
    } catch (error) {
      return this.caught(error, stack);
    }
  }

  // The place of a text, or nothing if the guest has none to tell.
  inspect() {
    const stack = this.begin();
    try {
      return BigInt.asUintN(64, this.exports.inspect());
    } catch (error) {
      this.caught(error, stack);
      return undefined;
    }
  }

  describe(len) {
    const stack = this.begin();
    try {
      return BigInt.asUintN(64, this.exports.describe(len));
    } catch (error) {
      this.caught(error, stack);
      return undefined;
    }
  }

  size() {
    return this.exports.memory.buffer.byteLength;
  }

  read(into, at, len) {
    this.copy.read(into, at, len);
  }

  write(at, from, len) {
    this.copy.write(at, from, len);
  }

  used(at, end) {
    return this.copy.used(at, end);
  }

  state() {
    return BigUint64Array.from(this.globals, ({ value }) => BigInt.asUintN(64, BigInt(value)));
  }

  set_state(values) {
    this.globals.forEach((global, index) => {
      const value = values[index];
      global.value = typeof global.value === "bigint" ? BigInt.asIntN(64, value) : Number(BigInt.asIntN(32, value));
    });
  }
}
