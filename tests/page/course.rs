//! The course: contents, lessons, and questions that the run answers.

use super::support::{Page, with_page};
use raftbox::lesson::{LESSONS, Lesson};
use serde_json::{Value, json};

/// What scripts in the course have at hand.
const COURSE: &str = "
    const lesson = async (name) => {
        location.hash = name;
        await until(`showed ${name}`, () => $('nav span')?.textContent && document.querySelector('raft-sandbox')?.getAttribute('scenario') === name);
    };
    const answers = () => [...document.querySelectorAll('.question [role=status]')].map((one) => one.textContent);
    const choose = async (question, option) => {
        const asked = document.querySelectorAll('.question')[question];
        asked.querySelectorAll('input')[option].click();
        await until('answered', () => /^[✓✗] /.test(asked.querySelector('[role=status]').textContent));
        return asked.querySelector('[role=status]').textContent;
    };
";

/// Opens the course, in which nothing was seen yet.
fn opened(page: &Page<'_>) {
    page.browser.open(&format!("{}course.html", page.address)).unwrap();
    page.js(
        "localStorage.clear(); location.hash = 'split-vote'; await turn(); location.hash = ''; await turn();",
        &json!(null),
    );
    page.js("await until('listed the lessons', () => document.querySelectorAll('.contents li').length)", &json!(null));
}

fn script(page: &Page<'_>, body: &str, args: &Value) -> Value {
    page.js(&[COURSE, body].concat(), args)
}

#[test]
fn lessons_are_listed_by_chapter_and_what_was_answered_is_kept() {
    with_page(super::given, |page| {
        opened(page);
        let listed = "return [$('#progress').textContent, ...[...document.querySelectorAll('.contents a')].map((one) => one.hash.slice(1))]";
        let names = LESSONS.iter().map(|(name, _)| *name);
        let expected: Vec<&str> = std::iter::once("0 of 24 done").chain(names).collect();
        assert_eq!(page.js(listed, &json!(null)), json!(expected));

        let told =
            script(page, "await lesson('figure-8'); return [await choose(0, 1), await choose(1, 1)]", &json!(null));
        assert!(
            told[0].as_str().unwrap().starts_with("✗ The run says: S5. S5: its last entry is of term 3"),
            "{told:#}"
        );
        assert!(told[1].as_str().unwrap().starts_with("✓ So it is. S5 does not: S2 and S3 refuse it"), "{told:#}");
        let around = "return [...document.querySelectorAll('nav a')].map((one) => [one.textContent, one.hash])";
        let expected = json!([["contents", ""], ["‹ back", "#rolled-back"], ["next ›", "#silent-leader"]]);
        assert_eq!(page.js(around, &json!(null)), expected);
        page.js("location.hash = ''; await until('listed', () => $('#progress'))", &json!(null));
        assert_eq!(page.js("return $('#progress').textContent", &json!(null)), json!("1 of 24 done"));
        assert_eq!(page.js("return $('.seen').hash", &json!(null)), json!("#figure-8"));
    });
}

#[test]
fn every_question_is_answered_by_a_run_in_the_page() {
    with_page(super::given, |page| {
        opened(page);
        for (name, _) in LESSONS {
            let body = "await lesson(args);
                for (const place of document.querySelectorAll('.question').keys()) await choose(place, 0);
                return answers();";
            let told = script(page, body, &json!(name));
            let lesson = Lesson::built_in(name).unwrap();
            let told = told.as_array().unwrap();
            assert_eq!(told.len(), lesson.question.len(), "{name}");
            for (told, question) in told.iter().zip(&lesson.question) {
                let says = |(option, fact): &(String, raftbox::fact::Fact)| {
                    told.as_str().unwrap().ends_with(&format!("({fact})"))
                        && (told.as_str().unwrap().starts_with("✓") || told.as_str().unwrap().contains(option))
                };
                assert!(question.options.iter().any(says), "{name}: {told}");
            }
        }
    });
}

#[test]
fn a_variant_takes_the_place_of_the_figure_and_is_marked() {
    with_page(super::given, |page| {
        opened(page);
        let body = "await lesson('figure-8');
            const pressed = () => [...document.querySelectorAll('.figure button')].find((one) => one.ariaPressed === 'true').textContent;
            const before = pressed();
            found('by-count ✗').click();
            const inside = () => $('raft-sandbox iframe')?.contentDocument;
            await until('showed the variant', () => inside()?.querySelector('#broken') && /^[0-9a-f]{32}$/.test(inside().querySelector('#digest').textContent));
            return [before, pressed(), $('.figure .faint').textContent, $('.figure > p a').hash, inside().querySelector('#broken').textContent]";
        let found = script(page, body, &json!(null));
        assert_eq!(found[0], "as it should be");
        assert_eq!(found[1], "by-count ✗");
        assert!(
            found[2].as_str().unwrap().starts_with("✗ a broken node: A leader commits entries of earlier terms"),
            "{found:#}"
        );
        assert_eq!(found[3], "#scenario=figure-8:by-count&seed=1");
        assert!(found[4].as_str().unwrap().starts_with("✗ a broken node: "), "{found:#}");
    });
}

#[test]
fn it_fits_a_small_screen_and_keeps_nobody_out() {
    let Some(axe) = std::env::var_os("RAFTBOX_AXE") else {
        eprintln!("SKIPPED, and nothing was tested: RAFTBOX_AXE does not name the axe.min.js of axe-core");
        return;
    };
    let axe = std::fs::read_to_string(axe).unwrap();
    with_page(super::given, |page| {
        opened(page);
        page.browser.devtools("Runtime.evaluate", &json!({ "expression": axe })).unwrap();
        for (width, scheme) in [(1280, "light"), (360, "dark")] {
            let size = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500 });
            page.browser.devtools("Emulation.setDeviceMetricsOverride", &size).unwrap();
            let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
            page.browser.devtools("Emulation.setEmulatedMedia", &feature).unwrap();
            let body = "
                const serious = [];
                for (const name of ['', 'figure-8', 'two-leaders']) {
                    if (name) { await lesson(name); await choose(0, 0); }
                    const { violations } = await axe.run({ exclude: [['raft-sandbox']] });
                    for (const { id, impact, nodes } of violations)
                        if (['serious', 'critical'].includes(impact)) serious.push([name, id, nodes.map((node) => node.html)]);
                    const { scrollWidth, clientWidth } = document.documentElement;
                    if (scrollWidth > clientWidth) serious.push([name, 'is wider than the screen', scrollWidth, clientWidth]);
                }
                return serious;";
            let serious = script(page, body, &json!(null));
            assert_eq!(serious, json!([]), "{serious:#}");
        }
        page.browser.devtools("Emulation.clearDeviceMetricsOverride", &json!({})).unwrap();
    });
}
