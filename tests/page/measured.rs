//! How quick the page is. What is measured is told, and decides nothing:
//! `cargo test -p raftbox-tests --test page measured -- --nocapture`.

use super::given;
use super::support::with_page;
use raftbox::link::Link;
use raftbox::scenario::Setting;
use raftbox::units::{Span, Spans};
use raftbox_tests::header;
use serde_json::json;

#[test]
fn frames_with_seven_nodes_and_two_hundred_messages() {
    with_page(given, |page| {
        // Half a second on the way, and a heartbeat every 20 ms: each link is full.
        let header = header("calm", 1, |scenario| {
            scenario.nodes = 7;
            scenario.duration = Span(20_000_000);
            scenario.network.latency = Spans { low: Span(490_000), high: Span(510_000) };
            for (name, value) in [("heartbeat", "20ms"), ("election_min", "4s"), ("election_max", "8s")] {
                scenario.node.insert(name.into(), Setting::Text(value.into()));
            }
        });
        page.open(&Link::new(header.plan, &header.guests[0]).encode());
        page.set("#scrub", "15000000", "input");
        page.set("#speed", "4", "change");
        let script = "
            $('#play').click();
            const frame = () => new Promise(requestAnimationFrame);
            const frames = [];
            let before = await frame(), messages = Infinity;
            for (const end = before + 3000; before < end;) {
                const now = await frame();
                frames.push(now - before);
                before = now;
                messages = Math.min(messages, document.querySelectorAll('#ring .message').length);
            }
            $('#play').click();
            frames.sort((a, b) => a - b);
            const at = (part) => frames[Math.floor(frames.length * part)];
            const late = frames.filter((frame) => frame > 20).length;
            return { frames: frames.length, messages, median: at(0.5), p95: at(0.95), most: at(0.999), late };";
        let told = page.js(script, &json!(null));
        println!("frames in ms, with 7 nodes: {told}");
        assert!(told["messages"].as_u64() >= Some(200), "{told}");
    });
}

#[test]
fn time_until_the_first_step_can_be_taken() {
    with_page(given, |page| {
        for rate in [1, 4] {
            page.browser.devtools("Emulation.setCPUThrottlingRate", &json!({ "rate": rate })).unwrap();
            page.open("scenario=tour&seed=2");
            // From the beginning of the navigation: the page's own clock tells.
            let script = "
                const [opened] = performance.getEntriesByType('navigation');
                const [there] = performance.getEntriesByName('interactive');
                return { loaded: Math.round(opened.loadEventEnd), interactive: Math.round(there.startTime) };";
            let told = page.js(script, &json!(null));
            println!("CPU slowed {rate} times, ms from the navigation: {told}");
        }
        page.browser.devtools("Emulation.setCPUThrottlingRate", &json!({ "rate": 1 })).unwrap();
    });
}
