//! Runs in a page of somebody else's: `<raft-sandbox>`.

use super::support::with_page;
use super::{digest, given};
use raftbox_tests::header;
use serde_json::json;

fn told_digest(found: &serde_json::Value) -> &str {
    found["told"][0]["digest"].as_str().unwrap()
}

#[test]
fn three_clusters_in_one_page_are_loaded_when_they_are_seen() {
    with_page(given, |page| {
        let address = format!("{}embed.html", page.address);
        page.browser.open(&address).unwrap();
        let script = "
            const all = [...document.querySelectorAll('raft-sandbox')];
            const loaded = () => all.filter((one) => one.querySelector('iframe')).length;
            const inside = (one) => one.querySelector('iframe').contentDocument;
            const digest = (one) => inside(one)?.querySelector('#digest')?.textContent;
            const told = [];
            const first = loaded();
            for (const one of all) {
                one.scrollIntoView();
                await until('showed a cluster', () => one.querySelector('iframe') && /^[0-9a-f]{32}$/.test(digest(one)));
                const frame = one.querySelector('iframe');
                await until('had its height', () => frame.style.height.endsWith('px'));
                told.push({
                    scenario: one.getAttribute('scenario'),
                    seed: Number(one.getAttribute('seed')),
                    digest: digest(one),
                    clock: inside(one).querySelector('#clock').textContent.split(' of ')[0],
                    menu: getComputedStyle(inside(one).querySelector('.menu')).display,
                    cut_off: inside(one).body.scrollHeight - frame.clientHeight,
                });
            }
            return { first, told, cookies: document.cookie, stored: localStorage.length + sessionStorage.length };";
        let found = page.js(script, &json!(null));
        let told = found["told"].as_array().unwrap();
        assert_eq!(told.len(), 3, "{found:#}");
        assert!(found["first"].as_u64() < Some(3), "not all are loaded at once: {found:#}");
        assert_eq!((found["cookies"].as_str(), found["stored"].as_u64()), (Some(""), Some(0)));
        for one in told {
            let (name, seed) = (one["scenario"].as_str().unwrap(), one["seed"].as_u64().unwrap());
            assert_eq!(one["digest"], digest(&header(name, seed, |_| ())), "{one:#}");
            assert_eq!(one["clock"], "0.000 s · event 0", "it starts paused");
            assert_eq!(one["menu"], "none");
            assert!(one["cut_off"].as_i64() <= Some(1), "it is as high as it needs to be: {one:#}");
        }
        // The frames ask nobody else for anything, and lead to the sandbox itself.
        let script = "
            const asked = [];
            for (const { contentWindow } of document.querySelectorAll('iframe')) {
                asked.push(...contentWindow.performance.getEntriesByType('resource').map((entry) => entry.name));
            }
            const { contentWindow, contentDocument } = $('iframe');
            let opened;
            contentWindow.open = (address) => { opened = String(address); };
            contentDocument.querySelector('a.embed-only').click();
            await until('opened the sandbox', () => opened);
            return [asked, opened];";
        let told = page.js(script, &json!(null));
        let asked = told[0].as_array().unwrap();
        assert!(asked.iter().all(|name| name.as_str().unwrap().starts_with(&page.address)), "{asked:?}");
        let opened = told[1].as_str().unwrap();
        assert!(asked.len() > 3 && opened.starts_with(&format!("{}index.html#", page.address)), "{opened}");
        page.open(opened.split_once('#').unwrap().1);
        assert_eq!(page.text("#digest"), told_digest(&found));
        page.open("");
    });
}
