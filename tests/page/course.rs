//! The course: contents and index; lessons beside their runs, questions that runs answer, and goals that are noticed.

use super::digest;
use super::eyes::{axe, prefer, resize, with_axe};
use super::support::{Page, with_page};
use raftbox::lesson::{LESSONS, Lesson};
use raftbox_tests::header;
use serde_json::{Value, json};

/// What scripts in a lesson have at hand.
const LESSON: &str = "
    const linked = (text) => [...document.querySelectorAll('#lesson a')].find((one) => one.textContent === text);
    const choose = async (question, option) => {
        const asked = document.querySelectorAll('#lesson fieldset')[question];
        asked.querySelectorAll('input')[option].click();
        await until('answered', () => /^[✓✗] /.test(asked.querySelector('[role=status]').textContent));
        return asked.querySelector('[role=status]').textContent;
    };
    const goal = () => $('#goal')?.textContent;
    // Waits for another run than that of a digest.
    const another = async (before) => {
        await until('showed another run', () => /^[0-9a-f]{32}$/.test($('#digest')?.textContent) && $('#digest').textContent !== before);
        await turn();
    };
";

/// Opens the course, in which nothing was seen yet.
fn opened(page: &Page<'_>) {
    page.open("");
    page.browser.open(&format!("{}course.html", page.address)).unwrap();
    page.js("await until('listed the lessons', () => document.querySelectorAll('#contents li').length)", &json!(null));
}

/// Opens a lesson, and runs a script there.
fn taught(page: &Page<'_>, name: &str, body: &str) -> Value {
    page.open(&format!("lesson={name}"));
    page.js("await until('showed the lesson', () => $('#lesson'))", &json!(null));
    page.js(&[LESSON, body].concat(), &json!(name))
}

#[test]
fn lessons_are_listed_by_chapter_and_by_what_they_are_about() {
    with_page(super::given, |page| {
        opened(page);
        let listed = "const all = (what) => [...document.querySelectorAll(what)];
            return [$('#progress').textContent, all('#contents a').map((one) => one.hash.slice(1)), all('#index div').map((one) => [
                one.querySelector('dt').textContent, [...one.querySelectorAll('a')].map((link) => link.hash.split('=')[1])])]";
        let told = page.js(listed, &json!(null));
        assert_eq!(told[0], "0 of 24 lessons done, 0 of 6 goals reached");
        let names: Vec<String> = LESSONS.iter().map(|(name, _)| format!("lesson={name}")).collect();
        assert_eq!(told[1], json!(names));
        let index = told[2].as_array().unwrap();
        assert!(index.contains(&json!([
            "PreVote",
            ["disruptive-rejoin", "removed-server", "partial-partition", "one-link-down"]
        ])));
        let words: Vec<String> = index.iter().map(|row| row[0].as_str().unwrap().to_lowercase()).collect();
        assert!(words.is_sorted(), "{words:?}");
    });
}

#[test]
fn what_was_answered_is_kept_and_a_lesson_leads_to_the_next() {
    with_page(super::given, |page| {
        let body = "const told = [await choose(0, 1), await choose(1, 1)];
            const around = [...document.querySelectorAll('#lesson nav:first-child a')].map((one) => [one.textContent, one.getAttribute('href')]);
            return [...told, around]";
        let told = taught(page, "figure-8", body);
        assert!(
            told[0].as_str().unwrap().starts_with("✗ The run says: S5. S5: its last entry is of term 3"),
            "{told:#}"
        );
        assert!(told[1].as_str().unwrap().starts_with("✓ So it is. S5 does not: S2 and S3 refuse it"), "{told:#}");
        let expected = json!([
            ["contents", "course.html"],
            ["‹ back", "#lesson=rolled-back"],
            ["next ›", "#lesson=silent-leader"],
            ["close", "#scenario=figure-8&seed=1"]
        ]);
        assert_eq!(told[2], expected);
        // The next takes its place, with its run; and when it is closed the run stays.
        let body = "linked('next ›').click();
            await until('showed the next', () => $('#lesson h2')?.textContent === 'A leader that does not know' && $('#scenario').value === 'silent-leader');
            await over();
            const digest = $('#digest').textContent;
            linked('close').click();
            await until('closed it', () => !$('#lesson'));
            await over();
            return [digest, $('#digest').textContent, document.body.className]";
        let told = page.js(&[LESSON, body].concat(), &json!(null));
        let expected = digest(&header("silent-leader", 1, |_| ()));
        assert_eq!(told, json!([expected, expected, ""]));
        page.browser.open(&format!("{}course.html", page.address)).unwrap();
        page.js("await until('listed', () => $('#progress').textContent)", &json!(null));
        assert_eq!(page.js("return $('.done').hash", &json!(null)), json!("#lesson=figure-8"));
        assert!(page.js("return $('#progress').textContent", &json!(null)).as_str().unwrap().starts_with("1 of 24"));
    });
}

#[test]
fn every_question_is_answered_by_a_run_in_the_page() {
    with_page(super::given, |page| {
        for (name, _) in LESSONS {
            let body = "const told = [];
                for (const place of document.querySelectorAll('#lesson fieldset').keys()) told.push(await choose(place, 0));
                return told;";
            let told = taught(page, name, body);
            let lesson = Lesson::built_in(name).unwrap();
            let told = told.as_array().unwrap();
            assert_eq!(told.len(), lesson.question.len(), "{name}");
            for (told, question) in told.iter().zip(&lesson.question) {
                let says = |(option, fact): &(String, raftbox::fact::Fact)| {
                    told.as_str().unwrap().contains(&format!("({fact})"))
                        && (told.as_str().unwrap().starts_with("✓") || told.as_str().unwrap().contains(option))
                };
                assert!(question.options.iter().any(says), "{name}: {told}");
            }
        }
    });
}

#[test]
fn a_goal_is_noticed_when_somebody_reaches_it() {
    with_page(super::given, |page| {
        // What breaks by itself is no doing, and what the lesson shows is not one's own.
        let body = "const told = [goal()];
            const go = async (text) => {
                const before = $('#digest').textContent;
                linked(text).click();
                await another(before);
                told.push(goal());
            };
            await go('by-count ✗');
            await go('one way to do it');
            await go('begin here');
            return told";
        let not = "◆ Not reached yet.";
        let told = taught(page, "figure-8", body);
        assert_eq!(told, json!([not, not, "✓ This is one way.", not]));
        // S1 is crashed by hand, before its own entry comes.
        let body = "const scrub = $('#scrub');
            const time = () => Number.parseFloat($('#clock').textContent);
            for (let low = 0, high = Number(scrub.max); low < high;) {
                const middle = Math.floor((low + high) / 2);
                scrub.value = middle;
                scrub.dispatchEvent(new Event('input', { bubbles: true }));
                await turn();
                if (time() < 1.9) low = middle + 1; else high = middle;
            }
            const before = $('#digest').textContent;
            for (const key of ['1', 'c']) document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
            await another(before);
            return [time(), goal()]";
        let told = page.js(&[LESSON, body].concat(), &json!(null));
        assert_eq!(told[1], "✓ Reached.", "{told}");
        page.browser.open(&format!("{}course.html", page.address)).unwrap();
        page.js("await until('listed', () => $('#progress').textContent)", &json!(null));
        let progress = page.js("return $('#progress').textContent", &json!(null));
        assert_eq!(progress, "0 of 24 lessons done, 1 of 6 goals reached");
    });
}

#[test]
fn a_variant_is_a_click_away_and_is_marked() {
    with_page(super::given, |page| {
        let body = "const current = () => $('#lesson .runs [aria-current=true]').textContent;
            const before = current();
            linked('by-count ✗').click();
            await until('showed the variant', () => $('#broken'));
            await over();
            return [before, current(), $('#broken').textContent, $('#variant').value]";
        let found = taught(page, "figure-8", body);
        assert_eq!((&found[0], &found[1]), (&json!("as it should be"), &json!("by-count ✗")));
        let broken = found[2].as_str().unwrap();
        assert!(broken.starts_with("✗ a broken node: A leader commits entries of earlier terms"), "{found:#}");
        assert_eq!(found[3], "figure-8:by-count");
    });
}

#[test]
fn it_fits_a_small_screen_and_keeps_nobody_out() {
    let Some(axe) = axe() else { return };
    let wide = "
        const { scrollWidth, clientWidth } = document.documentElement;
        return [...await serious(), ...(scrollWidth > clientWidth ? ['is wider than the screen', scrollWidth, clientWidth] : [])];";
    let look = |page: &Page<'_>, what: &str| {
        let found = with_axe(page, &axe, wide, &json!(null));
        assert_eq!(found, json!([]), "{what}: {found:#}");
    };
    with_page(super::given, |page| {
        for (width, scheme) in [(1600, "light"), (1280, "light"), (360, "dark")] {
            resize(page, width);
            prefer(page, "prefers-color-scheme", scheme);
            opened(page);
            look(page, "the contents");
            for name in ["figure-8", "two-leaders"] {
                taught(page, name, "await choose(0, 0)");
                look(page, name);
            }
        }
    });
}
