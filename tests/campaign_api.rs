//! Campaigns as a user writes them, for a guest of their own: what holds is silent, what breaks is told with all that it takes
//! to see it again, and what a guest says of itself is judged.

use raftbox::campaign::{Campaign, Report};
use raftbox::engine::native::Native;
use raftbox::scenario::Setting;
use raftbox_abi::note::PropertyKind;
use raftbox_abi::{Boot, Guest, Imports, property};
use raftbox_guest_bytes::BYTES;
use raftbox_node::Node;

#[test]
fn the_built_in_guest_survives_chaos() {
    Campaign::wasm(BYTES).scenario("chaos").run_for("15s").seeds(0..8).check();
}

#[test]
fn a_guest_in_rust_needs_no_wasm() {
    Campaign::<Native<Node>>::native().scenario("lossy").nodes(3).run_for("5s").seeds(0..4).check();
}

#[test]
fn what_breaks_is_told_with_the_seed_and_how_to_see_it_again() {
    // Nobody looks whether it hears a quorum, and one that is not heard leads on.
    let campaign = Campaign::wasm(BYTES).set("check_quorum", Setting::Switch(false)).seeds(5..9);
    let report = campaign.run().unwrap();
    let message = campaign.message(&report).unwrap();
    assert!(
        message.starts_with("something breaks in 1 of 4 seeds of chaos:\n  seed 7: liveness by event "),
        "{message}"
    );
    assert!(message.ends_with("to see it again: RAFTBOX_SEED=7 and the same test, with --nocapture"), "{message}");
    let story = campaign.story(7).unwrap();
    assert!(story.contains("is elected leader") && story.contains("liveness: Violated"), "{story}");
}

/// The built-in node, which says something of itself.
#[derive(Clone)]
struct Claims(Node, u64);

impl Guest for Claims {
    fn boot<I: Imports>(imports: &mut I, boot: &Boot<'_>) -> Self {
        property::declare(imports, PropertyKind::Reachable, "a hundred alarms");
        property::declare(imports, PropertyKind::Reachable, "a million alarms");
        Self(Node::boot(imports, boot), 0)
    }

    fn deliver<I: Imports>(&mut self, imports: &mut I, from: u32, datagram: &[u8]) {
        property::always(imports, "a datagram is short", datagram.len() < 60_000);
        self.0.deliver(imports, from, datagram);
    }

    fn wake<I: Imports>(&mut self, imports: &mut I) {
        self.1 += 1;
        if self.1 == 100 {
            property::reachable(imports, "a hundred alarms");
        }
        let odd = imports.now() % 2 == 1;
        property::sometimes(imports, "an alarm rings at an odd time", odd);
        if self.1 == 1_000 {
            property::unreachable(imports, "a thousand alarms");
        }
        self.0.wake(imports);
    }

    fn request<I: Imports>(&mut self, imports: &mut I, client: u32, operation: u64, body: &[u8]) {
        self.0.request(imports, client, operation, body);
    }

    fn synced<I: Imports>(&mut self, imports: &mut I, ticket: u64, status: i32) {
        self.0.synced(imports, ticket, status);
    }
}

fn claims(duration: &str) -> (Report, Option<String>) {
    let campaign = Campaign::<Native<Claims>>::native().scenario("calm").nodes(3).run_for(duration).seeds(0..2);
    let report = campaign.run().unwrap();
    let message = campaign.message(&report);
    (report, message)
}

#[test]
fn what_a_guest_says_of_itself_is_counted_and_what_never_was_is_told() {
    let (report, message) = claims("10s");
    assert!(report.broken.is_empty(), "{:?}", report.broken);
    let counts = |kind: &str, name: &str| report.tally.properties[&(kind.to_owned(), name.to_owned())];
    assert!(counts("sometimes", "an alarm rings at an odd time")[1] > 0);
    assert!(counts("always", "a datagram is short")[0] > 100);
    assert_eq!(message.unwrap(), "\"a million alarms\" is reachable, says the guest, and was not once in 2 seeds");
}

#[test]
fn what_a_guest_says_cannot_be_is_a_violation() {
    let (report, _) = claims("60s");
    let (_, broken) = report.broken.first().expect("a leader has a thousand alarms in a minute");
    assert_eq!(broken[0].property, "own-properties");
    assert!(broken[0].what.contains("says that it is at \"a thousand alarms\""), "{}", broken[0].what);
}
