//! The situations that teach, and their variants, in the page: the runs of the terminal, and what is broken is marked.

use super::support::with_page;
use raftbox::simulation::Simulation;
use raftbox::trace::Keep;
use raftbox_tests::situations::{Ready, guests, told};
use serde_json::json;
use std::rc::Rc;

#[test]
fn each_situation_is_the_run_of_the_terminal_and_shows_what_it_says() {
    with_page(super::given, |page| {
        let told = told();
        let guests = guests(&told);
        for (name, scenario) in &told {
            let ready = Ready::new(scenario, &guests);
            let mut simulation = Simulation::new(Rc::clone(&ready.engine), &ready.header(1), Keep::Nothing).unwrap();
            simulation.run().unwrap();
            page.open(&format!("scenario={name}&seed=1"));
            assert_eq!(page.text("#digest"), simulation.record().trace.digest().to_string(), "{name}");
            let marked = page.js("return $('#broken')?.textContent ?? ''", &json!(null));
            let broken = scenario.guests().iter().any(Option::is_some);
            assert_eq!(marked.as_str().unwrap().starts_with("✗ a broken node: "), broken, "{name}: {marked}");
        }
    });
}

#[test]
fn a_variant_is_chosen_and_what_was_expected_is_listed() {
    with_page(super::given, |page| {
        page.open("scenario=figure-8&seed=1");
        assert_eq!(
            page.js("return [...$('#variant').options].map((one) => one.value)", &json!(null)),
            json!(["figure-8", "figure-8:by-count", "figure-8:own-entry", "figure-8:own-entry-by-count"])
        );
        let choose = "const variant = $('#variant');
            variant.value = 'figure-8:by-count';
            variant.dispatchEvent(new Event('change', { bubbles: true }));
            await until('showed the variant', () => $('#broken'));
            await over();";
        page.js(choose, &json!(null));
        page.js(
            "found('Properties').click(); await until('listed what was expected', () => $('#expected'))",
            &json!(null),
        );
        let listed = page
            .js("return [...document.querySelectorAll('#expected li')].map((one) => one.textContent)", &json!(null));
        let listed = listed.as_array().unwrap();
        assert!(listed.len() >= 3 && listed.iter().all(|line| line.as_str().unwrap().starts_with("✓ ")), "{listed:?}");
        assert!(listed.iter().any(|line| line.as_str().unwrap().contains("winner of term 5 = S5")), "{listed:?}");
    });
}
