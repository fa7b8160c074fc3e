//! Which run: scenario and seed, a run file, a link to it; and its digest.

use super::state::{Goal, Page, page};
use super::{branches, browser, links, session};
use crate::guest::Admitted;
use leptos::prelude::*;
use raftbox::runfile::RunFile;
use raftbox::scenario::parted;
use serde::Deserialize;

/// A built-in scenario, as the bundler lists it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Listed {
    name: String,
    about: String,
    /// Whether there is a lesson about it.
    lesson: bool,
    variants: Vec<Variant>,
}

/// A variant of one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Variant {
    name: String,
    about: String,
    /// What is wrong with the node that runs it, if it is a broken one.
    broken: Option<String>,
}

/// Opens a built-in scenario under a seed.
pub(crate) fn open(page: Page, name: &str, seed: u64) {
    let path = format!("scenarios/{}.run", name.replace(':', "."));
    browser::load(&path.clone(), move |read| match read.map(|file| RunFile::read(&file)) {
        Ok(Ok(file)) => {
            let mut plan = file.head.header.plan;
            plan.seed = seed;
            branches::load(page, plan, Goal::Violation);
        }
        Ok(Err(error)) => page.fail(format!("{path}: {error}.")),
        Err(problem) => page.fail(problem),
    });
}

/// The scenario that is shown: its name, the seed, and what it is about.
type Shown = Memo<Option<(String, u64, String)>>;

#[component]
pub(crate) fn Menu() -> impl IntoView {
    let page = page();
    let listed = RwSignal::new(Vec::<Listed>::new());
    browser::load("scenarios/list.json", move |read| {
        let list = read
            .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| format!("scenarios/list.json: {error}")));
        match list {
            Ok(list) => listed.set(list),
            Err(problem) => page.fail(problem),
        }
    });
    let shown: Shown = Memo::new(move |_| {
        page.run.track();
        session::with(|session| {
            let plan = &session.header().plan;
            (plan.scenario.name.clone(), plan.seed, plan.scenario.about.clone())
        })
    });
    let item = Memo::new(move |_| {
        let (name, ..) = shown.get()?;
        listed.read().iter().find(|item| item.name == parted(&name).0).cloned()
    });
    let about = move || {
        let (name, _, about) = shown.get()?;
        let Some(Listed { about: usual, variants, lesson, name: listed }) = item.get() else {
            return Some(view! { {about} }.into_any());
        };
        let variant = variants.into_iter().find(|variant| Some(variant.name.as_str()) == parted(&name).1);
        // A variant says what is otherwise, so what it is otherwise than goes before.
        let text = if variant.is_some() { format!("{usual} {about}") } else { about };
        let broken = variant.and_then(|variant| variant.broken);
        let broken =
            broken.map(|what| view! { <strong class="broken" id="broken">"✗ a broken node: "{what}" "</strong> });
        let lesson = lesson.then(|| view! { " "<a class="course-link" href=format!("#lesson={listed}")>"lesson"</a> });
        Some(view! { {broken}{text}{lesson} }.into_any())
    };
    view! {
        <header class="menu">
            <h1>"raftbox"</h1>
            <a class="course-link" href="course.html">"course"</a>
            <Choice shown=shown listed=listed item=item />
            <Keeping />
            <DigestOfAll />
        </header>
        <p class="about">{about}</p>
    }
}

/// Which scenario, and under which seed.
#[component]
fn Choice(shown: Shown, listed: RwSignal<Vec<Listed>>, item: Memo<Option<Listed>>) -> impl IntoView {
    let page = page();
    // A scenario of somebody's own: it is named, and cannot be chosen anew.
    let unlisted = Memo::new(move |_| {
        let (name, ..) = shown.get()?;
        (!listed.read().is_empty() && item.read().is_none()).then_some(name)
    });
    let seed = NodeRef::<leptos::html::Input>::new();
    let choose = move |name: String| {
        let text = seed.get_untracked().map_or_else(String::new, |input| input.value());
        match text.trim().parse::<u64>() {
            Ok(seed) if unlisted.get_untracked().as_ref() == Some(&name) => {
                if let Some(mut plan) = session::with(|session| session.header().plan.clone()) {
                    plan.seed = seed;
                    plan.interventions.clear();
                    branches::open(page, &plan, Goal::Violation);
                }
            }
            Ok(seed) => open(page, &name, seed),
            Err(_) => {
                page.fail(format!("The seed is {text:?}, and should be a number from 0 to 18446744073709551615."));
            }
        }
    };
    let again = move || {
        if let Some((name, ..)) = shown.get_untracked() {
            choose(name);
        }
    };
    let option = move |item: Listed| {
        let name = item.name.clone();
        let chosen = move || shown.get().is_some_and(|(shown, ..)| parted(&shown).0 == name);
        view! { <option value=item.name.clone() title=item.about selected=chosen>{item.name.clone()}</option> }
    };
    view! {
        <label>"scenario "
            <select id="scenario" on:change=move |event| choose(event_target_value(&event))>
                {move || unlisted.get().map(|name| view! { <option selected=true>{name}</option> })}
                <For each=move || listed.get() key=|listed| listed.name.clone() children=option />
            </select>
        </label>
        {move || item.get().filter(|item| !item.variants.is_empty()).map(|Listed { name, variants, .. }| {
            let option = |Variant { name: variant, about, broken }: Variant| {
                let whole = format!("{name}:{variant}");
                let value = whole.clone();
                let sign = if broken.is_some() { " ✗" } else { "" };
                let chosen = move || shown.get().is_some_and(|(shown, ..)| shown == whole);
                view! { <option value=value title=about selected=chosen>{variant}{sign}</option> }
            };
            let options = variants.into_iter().map(option).collect_view();
            view! {
                <label>"variant "
                    <select id="variant" on:change=move |event| choose(event_target_value(&event))>
                        <option value=name.clone()>"as it should be"</option>
                        {options}
                    </select>
                </label>
            }
        })}
        <label>"seed "
            <input id="seed" node_ref=seed inputmode="numeric" size="8" on:change=move |_| again()
                prop:value=move || shown.get().map_or(1, |(_, seed, _)| seed).to_string() />
        </label>
    }
}

/// Sharing, keeping and opening runs, and keeping pictures of them.
#[component]
fn Keeping() -> impl IntoView {
    let page = page();
    let name = |session: &session::Session, ending: &str| {
        let plan = &session.header().plan;
        format!("{}-{}.{ending}", plan.scenario.name, plan.seed)
    };
    let save = move |_| {
        if let Some((name, bytes)) = session::with(|session| (name(session, "run"), session.file())) {
            browser::save(&name, "application/octet-stream", &bytes);
        }
    };
    let draw = move |_| {
        if let Some(name) = session::with(|session| name(session, "svg")) {
            browser::save(&name, "image/svg+xml", browser::picture("ring").as_bytes());
        }
    };
    let picked = move |_| {
        browser::picked("open", move |read| match read {
            Ok(bytes) => branches::open_file(page, &bytes, Goal::Violation),
            Err(problem) => page.fail(problem),
        });
    };
    let bring = move |_| {
        let arena = session::with(|session| session.header().plan.scenario.arena.0).unwrap_or(0);
        browser::bring("guest", arena, move |read| match read {
            Ok(admitted) => branches::run_by(page, Admitted::read(&admitted).map(|guest| guest.sha256)),
            Err(problem) => page.fail(problem),
        });
    };
    let brought = Memo::new(move |_| {
        page.run.track();
        session::brought()
    });
    view! {
        <button type="button" id="share" on:click=move |_| links::share(page)>"share"</button>
        <button type="button" id="save" on:click=save>"save run"</button>
        <label class="file">"open run "<input type="file" id="open" accept=".run" on:change=picked /></label>
        <label class="file">"open guest "<input type="file" id="guest" accept=".wasm" on:change=bring /></label>
        {move || brought.get().map(|hash| view! {
            <button type="button" id="built-in" title=format!("Runs are run by the guest {hash}") on:click=move |_| branches::run_by(page, None)>
                "guest "{hash[..8].to_owned()}"… back to the built-in one"
            </button>
        })}
        <button type="button" id="draw" on:click=draw>"save picture"</button>
        <button type="button" id="present" title="For an audience: the cluster alone, and large (F; Escape ends it)"
            on:click=|_| browser::present()>"present"</button>
    }
}

/// The digest of the whole run, once it is known.
#[component]
fn DigestOfAll() -> impl IntoView {
    let page = page();
    let digest = move || {
        page.run.track();
        page.known.track();
        if !page.over.get() {
            return "…".to_owned();
        }
        session::with(|session| session.digest().to_string()).unwrap_or_default()
    };
    view! {
        <output class="digest" title="The digest over every event: the terminal shows the same">
            "digest "<code id="digest">{digest}</code>
        </output>
    }
}
