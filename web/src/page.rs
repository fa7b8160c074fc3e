//! The page: what it shows of a run, and what it lets people do to it. It draws what [`raftbox::view`] says, and decides
//! nothing.
//!
//! | file | concept |
//! |---|---|
//! | [`state`] | which run, which event, what plays and what is pointed at |
//! | [`session`] | the run: simulated, recorded, seen at any event |
//! | [`branches`] | which runs are opened, what people do to them, and the branches that come of it |
//! | [`tree`] | the branches, drawn, named and switched |
//! | [`beside`] | another branch beside the one that is shown |
//! | [`links`] | the link to what is shown |
//! | [`browser`] | files, address, clipboard, frames |
//! | [`picture`] | what is drawn at an event, as plain values |
//! | [`place`] | coordinates as text |
//! | [`ring`] | the cluster |
//! | [`flight`], [`marks`] | a message on its way, and how all of them are drawn |
//! | [`legend`] | what the shapes of it mean |
//! | [`transport`] | moving in time |
//! | [`telling`] | the sentence of an event, and why |
//! | [`menu`] | scenario, seed, files, digest |
//! | [`acts`] | what can be done to what is selected |
//! | [`mail`] | messages that are moved by hand |
//! | [`ask`] | what a client asks, by hand |
//! | [`window`] | how much time the diagram and the lanes show |
//! | [`diagram`], [`lanes`], [`events`] | the panels of time: who did what when, what clients asked, every event |
//! | [`logs`], [`node`], [`story`], [`properties`] | the other panels |
//! | [`keys`] | the keyboard |

#![allow(clippy::float_arithmetic, reason = "places on the screen are not integers; none of them reaches a run")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as above")]
#![allow(unreachable_pub, reason = "what the component macro makes is public, wherever it stands")]

mod acts;
mod ask;
mod beside;
mod branches;
mod browser;
mod diagram;
mod events;
mod flight;
mod keys;
mod lanes;
mod legend;
mod links;
mod logs;
mod mail;
mod marks;
mod menu;
mod node;
mod picture;
mod place;
mod properties;
mod ring;
mod session;
mod state;
mod story;
mod telling;
mod transport;
mod tree;
mod window;

use leptos::prelude::*;
use state::{Goal, Page};

/// The panels beside the ring.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Panel {
    Logs,
    Diagram,
    Clients,
    Events,
    Story,
    Node,
    Properties,
}

impl Panel {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Logs, "Logs"),
        (Self::Diagram, "Diagram"),
        (Self::Clients, "Clients"),
        (Self::Events, "Events"),
        (Self::Story, "Story"),
        (Self::Node, "Node"),
        (Self::Properties, "Properties"),
    ];
}

#[component]
fn App() -> impl IntoView {
    let page = Page::new();
    provide_context(page);
    beside::provide(page);
    keys::listen(page);
    let panel = RwSignal::new(Panel::Logs);
    follow(page);
    branches::remember();
    match browser::fragment().as_str() {
        "" => menu::open(page, "tour", 1),
        given => address(page, given),
    }
    browser::fragments(move |text| {
        if !text.is_empty() {
            address(page, &text);
        }
    });
    view! {
        <menu::Menu />
        <Notice />
        <main>
            <section class="cluster" aria-label="Cluster">
                <div class="course"><beside::Own /><ring::Ring picture=page.picture id="ring" live=true /></div>
                <beside::Compared />
            </section>
            <acts::Acts />
            <section class="panels">
                <div role="tablist" aria-label="Panels">
                    {Panel::ALL.map(|(tab, word)| view! {
                        <button type="button" role="tab" id=format!("tab-{word}") aria-controls="panel"
                            aria-selected=move || (panel.get() == tab).to_string() on:click=move |_| panel.set(tab)>{word}</button>
                    }).collect_view()}
                </div>
                <div id="panel" role="tabpanel" tabindex="0">
                    {move || match panel.get() {
                        Panel::Logs => view! { <logs::Logs /> }.into_any(),
                        Panel::Diagram => view! { <diagram::Diagram /> }.into_any(),
                        Panel::Clients => view! { <lanes::Lanes /> }.into_any(),
                        Panel::Events => view! { <events::Events /> }.into_any(),
                        Panel::Story => view! { <story::Story /> }.into_any(),
                        Panel::Node => view! { <node::NodePanel /> }.into_any(),
                        Panel::Properties => view! { <properties::Properties /> }.into_any(),
                    }}
                </div>
            </section>
        </main>
        <footer>
            <telling::Telling />
            <events::Aloud />
            <tree::Lanes />
            <transport::Transport />
            <div class="sheets"><tree::Before /><legend::Legend /><keys::Help /></div>
        </footer>
    }
}

/// Has the browser go on with what plays, and tells it how far the page has come.
fn follow(page: Page) {
    Effect::new(move |_| {
        if page.playing.get() {
            browser::frames(move |passed| {
                if page.playing.get_untracked() {
                    page.pass(u64::from(passed));
                }
                page.playing.get_untracked()
            });
        }
    });
    // The first event is there: from now on a step can be taken.
    Effect::new(move |told: Option<bool>| {
        let there = page.known.get() > 0;
        if there && told != Some(true) {
            browser::interactive();
        }
        there || told == Some(true)
    });
    Effect::new(move |_| {
        page.run.track();
        if page.over.get() {
            browser::over();
        }
    });
}

/// Opens what the address names: `run=PATH`, a run file beside the page, by the guest of `guest=PATH` if there is one;
/// `scenario=NAME&seed=N`; or a link, by itself or as `link=LINK`. `lesson=NAME` among them shows a lesson beside it, by itself
/// that of the scenario of its name. `embed` leaves out what surrounds the cluster.
fn address(page: Page, text: &str) {
    let value = |name: &str| {
        text.split('&').filter_map(|part| part.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    if text.split('&').any(|part| part == "embed") {
        browser::embed();
    }
    let name = value("scenario").or(value("lesson")).map(|name| name.replace("%3A", ":"));
    let shown = name.as_deref().filter(|_| value("run").is_none());
    browser::lesson(value("lesson").unwrap_or_default(), shown.unwrap_or_default());
    if let Some(path) = value("run") {
        let guest = value("guest").map(str::to_owned);
        browser::load(path, move |read| match (read, guest) {
            (Ok(bytes), None) => branches::open_file(page, &bytes, Goal::Violation),
            (Ok(bytes), Some(guest)) => branches::open_by(page, &bytes, &guest),
            (Err(problem), _) => page.fail(problem),
        });
    } else if let Some(name) = name {
        let seed = value("seed").unwrap_or("1");
        match seed.parse() {
            Ok(seed) if name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ':')) => {
                menu::open(page, &name, seed);
            }
            _ => page.fail(format!(
                "The address asks for scenario {name:?} and seed {seed:?}: a name and a number are wanted."
            )),
        }
    } else {
        links::open(page, value("link").unwrap_or(text));
    }
}

/// What went wrong, and what was done.
#[component]
fn Notice() -> impl IntoView {
    let page = state::page();
    let differs = Memo::new(move |_| {
        let linked = page.linked.get()?;
        if !page.over.get() {
            return None;
        }
        let differs = session::with(|session| !session.digest().to_string().starts_with(&linked)) == Some(true);
        differs.then(|| "This is not the run that the link was made of: their digests differ.".to_owned())
    });
    view! {
        <div role="alert" class="problem" id="problem">
            {move || page.problem.get().or_else(|| differs.get()).map(|text| view! {
                <p>{text}" "<button type="button" on:click=move |_| { page.problem.set(None); page.linked.set(None); }>"close"</button></p>
            })}
        </div>
        <div role="status" class="told">
            {move || page.told.get().map(|text| view! {
                <p>{text}" "<button type="button" on:click=move |_| page.told.set(None)>"close"</button></p>
            })}
        </div>
    }
}

/// Whether a property is violated, or a fact is so, in the run that is shown, if that is one of the scenario, to which somebody
/// did something.
pub(crate) fn reached(scenario: &str, violates: Option<&str>, fact: Option<&str>) -> bool {
    session::with(|session| session.reached(scenario, violates, fact)).unwrap_or(false)
}

/// Puts the page into the document.
pub(crate) fn mount() {
    mount_to_body(App);
}
