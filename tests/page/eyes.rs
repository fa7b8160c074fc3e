//! How somebody looks at the page: with what they prefer, on a screen of some width, or by axe-core.

use super::support::Page;
use serde_json::{Value, json};

/// axe-core, which finds what keeps people out of a page, from the path in `RAFTBOX_AXE`. A test that has none says so and does
/// nothing.
pub(super) fn axe() -> Option<String> {
    let path = std::env::var_os("RAFTBOX_AXE");
    if path.is_none() {
        eprintln!("SKIPPED, and nothing was tested: RAFTBOX_AXE does not name the axe.min.js of axe-core");
    }
    path.map(|path| std::fs::read_to_string(path).unwrap())
}

/// What scripts have at hand for whom axe-core was given.
const SERIOUS: &str = "
    const serious = async () => (await axe.run()).violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
        .map(({ id, nodes }) => [id, nodes.map((node) => node.html)]);
";

/// Runs a script in the page as it is, in which `serious()` tells what axe-core finds there that is serious.
pub(super) fn with_axe(page: &Page<'_>, axe: &str, body: &str, args: &Value) -> Value {
    // Not as a script of the page's own, which its policy would refuse.
    page.browser.devtools("Runtime.evaluate", &json!({ "expression": axe })).unwrap();
    page.js(&[SERIOUS, body].concat(), args)
}

/// Has somebody prefer something, as in `prefers-color-scheme`.
pub(super) fn prefer(page: &Page<'_>, feature: &str, value: &str) {
    let features = json!({ "features": [{ "name": feature, "value": value }] });
    page.browser.devtools("Emulation.setEmulatedMedia", &features).unwrap();
}

/// Gives somebody a screen of that width.
pub(super) fn resize(page: &Page<'_>, width: u32) {
    let size = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500 });
    page.browser.devtools("Emulation.setDeviceMetricsOverride", &size).unwrap();
}
