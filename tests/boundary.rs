//! The boundary is one list: `raftbox_abi::boundary`, the trait that hosts implement, the trait that guests call, and the
//! import and export sections of the guest that was built are compared name by name.

use raftbox::gate;
use raftbox_abi::boundary::{EXPORTS, IMPORTS, OPTIONAL_EXPORTS};
use raftbox_guest_bytes::BYTES;

/// The names of the methods of a trait, in the order in which the source has them.
fn methods<'a>(source: &'a str, head: &str) -> Vec<&'a str> {
    let start = source.find(head).unwrap_or_else(|| panic!("{head} is not in the source"));
    let body = &source[start..];
    let body = &body[..body.find("\n}").expect("the trait ends")];
    body.lines().filter_map(|line| line.trim().strip_prefix("fn ")?.split(['(', '<']).next()).collect()
}

#[test]
fn hosts_serve_and_guests_call_what_the_list_says() {
    let list: Vec<_> = IMPORTS.iter().map(|import| import.name).collect();
    assert_eq!(methods(include_str!("../host/src/engine.rs"), "pub trait Host"), list);
    assert_eq!(methods(include_str!("../node-guest/abi/src/guest.rs"), "pub trait Imports"), list);
    let linked: Vec<_> = include_str!("../host/src/engine/wasmtime.rs")
        .lines()
        .filter_map(|line| line.trim().strip_prefix(".func_wrap(MODULE, \"")?.split('"').next())
        .collect();
    assert_eq!(linked, list);
    let exported: Vec<_> = include_str!("../web/src/engine.rs")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("#[unsafe(no_mangle)] extern \"C\" fn raftbox_")?.split('(').next())
        .collect();
    assert_eq!(exported, list);
}

#[test]
fn guests_implement_what_hosts_call() {
    let guest = methods(include_str!("../node-guest/abi/src/guest.rs"), "pub trait Guest");
    let exports = EXPORTS.iter().chain(OPTIONAL_EXPORTS).map(|export| export.name);
    // What the macro defines by itself is no method of a guest.
    let own: Vec<_> = exports.filter(|name| !["abi_version", "buffer", "_initialize"].contains(name)).collect();
    assert_eq!(guest, own);
}

#[test]
fn the_guest_that_is_built_imports_and_exports_what_the_list_says() {
    let admitted = gate::admit(BYTES, None).expect("the built-in guest is admitted");
    let unused: Vec<_> =
        IMPORTS.iter().map(|import| import.name).filter(|name| !admitted.imports.contains(name)).collect();
    assert!(unused.is_empty(), "our node uses all that there is, and not {unused:?}");
    assert!(admitted.has_inspect && admitted.has_describe);
    let globals: Vec<_> = admitted.globals.iter().map(|global| global.name.as_str()).collect();
    assert_eq!(globals, ["__stack_pointer"]);
    assert_eq!(admitted.memory_bytes, 4 << 20);
}
