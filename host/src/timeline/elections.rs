//! Tells of elections: who asks for votes and why, who leads by whose votes, who steps down, and what is overruled.
//!
//! Votes are counted from what everybody can see: a voter's note that its vote is durable, and the arrival of a message
//! that it sent the candidate after that.

use super::{Story, seconds};
use crate::check::Observed;
use crate::event::text::{Tone, names, refusal};
use crate::event::{Cause, Decision, Effect, Endpoint, Event, MessageName, Micros, NodeId};
use crate::nodes::{Node, Nodes};
use raftbox_abi::note::{Body, Refusal, Role};
use std::collections::{BTreeMap, BTreeSet};

/// A durable vote for another node.
#[derive(Clone, Copy, Debug)]
struct Vote {
    term: u64,
    candidate: NodeId,
    /// The number of the next message from voter to candidate when the vote became durable.
    from: u64,
}

/// A campaign under way.
#[derive(Clone, Debug, Default)]
struct Campaign {
    term: u64,
    since: Micros,
    votes: BTreeSet<NodeId>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Elections {
    /// When a node last heard another: (hearer, speaker).
    heard: BTreeMap<(NodeId, NodeId), Micros>,
    /// Who hears whom in this turn.
    hears: Option<(NodeId, NodeId)>,
    /// The number of the next message on a link.
    next: BTreeMap<(NodeId, NodeId), u64>,
    votes: BTreeMap<NodeId, Vote>,
    campaigns: BTreeMap<NodeId, Campaign>,
    /// How often a node asked for pre-votes since it lost its leader.
    asked: BTreeMap<NodeId, u32>,
    /// The refusals that were told since a leader was elected: whom, and which kind.
    told: BTreeSet<(NodeId, u8)>,
    /// Whether anybody was told to have a snapshot, and who a lease in which term.
    snapshot: bool,
    leases: BTreeSet<(NodeId, u64)>,
    /// How many refusals there were: of votes, of appends, of requests.
    refused: [u64; 3],
}

impl Elections {
    pub(super) fn observe(&mut self, observed: &Observed<'_>, nodes: &Nodes, story: &mut Story) {
        if let Event::Cause(_) = observed.event {
            self.hears = None;
        }
        match observed.event {
            Event::Effect(Effect::Sent {
                message: MessageName { from: Endpoint::Node(from), to: Endpoint::Node(to), n },
                ..
            }) => {
                self.next.insert((*from, *to), n.saturating_add(1));
            }
            Event::Cause(Cause::Deliver {
                message: MessageName { from: Endpoint::Node(from), to: Endpoint::Node(to), n },
                ..
            }) => {
                self.arrives(*from, *to, *n, observed.at);
            }
            Event::Cause(
                Cause::Crash { node }
                | Cause::Boot { node, .. }
                | Cause::Decide { node, decision: Decision::Crash, .. },
            )
            | Event::Effect(Effect::Halted { node, .. } | Effect::Trapped { node }) => {
                self.campaigns.remove(node);
                self.asked.remove(node);
            }
            Event::Effect(Effect::Note { node, .. }) => {
                if let (Some(note), Some(before)) = (observed.note, nodes.get(*node)) {
                    self.note(*node, &note.body, before, nodes, story);
                }
            }
            _ => {}
        }
    }

    fn arrives(&mut self, from: NodeId, to: NodeId, n: u64, at: Micros) {
        self.heard.insert((to, from), at);
        self.hears = Some((to, from));
        if let (Some(vote), Some(campaign)) = (self.votes.get(&from), self.campaigns.get_mut(&to))
            && vote.candidate == to
            && vote.term == campaign.term
            && n >= vote.from
        {
            campaign.votes.insert(from);
        }
    }

    fn note(&mut self, node: NodeId, body: &Body, before: &Node, nodes: &Nodes, story: &mut Story) {
        match *body {
            Body::Role { role, term, leader } => self.role(node, role, term, leader, before, story),
            Body::HardState { term, vote } if vote == node => {
                if let Some(campaign) = self.campaigns.get_mut(&node).filter(|campaign| campaign.term == term) {
                    campaign.votes.insert(node);
                }
            }
            Body::HardState { term, vote } if vote != 0 => {
                let from = self.next.get(&(node, vote)).copied().unwrap_or(0);
                self.votes.insert(node, Vote { term, candidate: vote, from });
            }
            Body::Truncate { from } => {
                if let Some(text) = dropped(node, from, before) {
                    story.tell('✗', Tone::Term(before.term), text);
                }
            }
            Body::Refused { peer, refusal: why } => self.refuses(node, peer, &why, nodes, story),
            // The leader makes a change, and the others follow it; at boot nothing has changed.
            Body::Config { index, ref voters, ref outgoing, ref learners } if before.role == Some(Role::Leader) => {
                let list = |nodes: &[NodeId]| names(nodes.iter().map(|id| Endpoint::Node(*id)));
                let old = if outgoing.is_empty() { String::new() } else { format!(", and {} too", list(outgoing)) };
                let learners =
                    if learners.is_empty() { String::new() } else { format!("; {} without a vote", list(learners)) };
                let text =
                    format!("S{node} changes the members, by entry {index}: {} vote{old}{learners}", list(voters));
                story.tell('◆', Tone::Term(before.term), text);
            }
            // Later ones are more of the same.
            Body::Snapshot { index, term, .. } if !std::mem::replace(&mut self.snapshot, true) => {
                let text = format!(
                    "S{node} is the first with a snapshot, up to {index}@{term}: its log forgets the way there"
                );
                story.tell('·', Tone::Plain, text);
            }
            Body::Lease { until } if until > 0 && self.leases.insert((node, before.term)) => {
                let text = format!(
                    "S{node} has a lease as leader of term {}: it answers reads without asking the others",
                    before.term
                );
                story.tell('◆', Tone::Term(before.term), text);
            }
            Body::Install { index, term, .. } => {
                let text = format!("S{node} takes over a snapshot up to {index}@{term} from the leader");
                story.tell('▲', Tone::Term(term), text);
            }
            _ => {}
        }
    }

    fn role(&mut self, node: NodeId, role: Role, term: u64, leader: NodeId, before: &Node, story: &mut Story) {
        let asked = self.asked.get(&node).copied().unwrap_or(0);
        match (before.role, role) {
            (was, Role::PreCandidate | Role::Candidate) => {
                if was == Some(Role::Candidate) {
                    self.lost(node, story);
                }
                let goal = if role == Role::PreCandidate { term.saturating_add(1) } else { term };
                if role == Role::PreCandidate {
                    self.asked.insert(node, asked + 1);
                }
                // A candidate whose pre-vote was told has nothing new to say.
                if asked == 0 && was != Some(Role::PreCandidate) {
                    let how =
                        if role == Role::PreCandidate { "asks whether it could win" } else { "asks for votes in" };
                    // Who campaigns at a word of its leader's, and not because its time is up, was told to (thesis, 3.10).
                    let why = match before.leader {
                        leader if leader != 0 && self.hears == Some((node, leader)) => {
                            format!("is to lead, as leader S{leader} wants,")
                        }
                        leader => self.why(node, leader, story.at),
                    };
                    let text = format!("S{node} {why} and {how} term {goal}");
                    story.tell('◆', Tone::Term(goal), text);
                }
                if role == Role::Candidate {
                    self.campaigns.insert(node, Campaign { term, since: story.at, votes: BTreeSet::new() });
                }
            }
            (_, Role::Leader) => {
                let campaign = self.campaigns.remove(&node).unwrap_or_default();
                let mut text = format!("S{node} is elected leader of term {term}");
                if !campaign.votes.is_empty() {
                    text += &format!(" by {}", names(campaign.votes.iter().map(|vote| Endpoint::Node(*vote))));
                    text += &format!(" in {}", seconds(story.at - campaign.since));
                }
                story.tell('◆', Tone::Term(term), text);
                self.asked.clear();
                self.told.clear();
            }
            (was, Role::Follower | Role::Learner) => {
                match was {
                    Some(Role::Candidate) => self.lost(node, story),
                    // That it gives up by itself it has told.
                    Some(Role::Leader) if before.term == term && leader == 0 => {}
                    Some(Role::Leader) => {
                        let now = if leader == 0 { String::new() } else { format!(" and follows S{leader}") };
                        let text =
                            format!("S{node}, leader of term {}, hears of term {term}, steps down{now}", before.term);
                        story.tell('◆', Tone::Term(term), text);
                    }
                    _ if leader != 0 && asked > 1 => {
                        let text = format!("S{node} follows S{leader} in term {term}, after {asked} pre-votes in vain");
                        story.tell('◆', Tone::Term(term), text);
                    }
                    _ => {}
                }
                if leader != 0 {
                    self.asked.remove(&node);
                }
            }
        }
    }

    /// Why a node asks for votes.
    fn why(&self, node: NodeId, leader: NodeId, at: Micros) -> String {
        match self.heard.get(&(node, leader)) {
            _ if leader == 0 => "knows no leader".into(),
            Some(heard) if *heard <= at => format!("has not heard leader S{leader} for {}", seconds(at - heard)),
            _ => format!("does not hear leader S{leader}"),
        }
    }

    /// A campaign came to nothing.
    fn lost(&mut self, node: NodeId, story: &mut Story) {
        if let Some(Campaign { term, votes, .. }) = self.campaigns.remove(&node) {
            let votes = names(votes.iter().map(|vote| Endpoint::Node(*vote)));
            story.tell(
                '✗',
                Tone::Term(term),
                format!("S{node} is not elected in term {term}: it has the vote of {votes}"),
            );
        }
    }

    fn refuses(&mut self, node: NodeId, peer: NodeId, why: &Refusal, nodes: &Nodes, story: &mut Story) {
        let (family, kind) = match why {
            Refusal::VoteStaleTerm { .. } => (0, Some(0)),
            Refusal::VoteTaken { .. } => (0, Some(1)),
            Refusal::VoteOlderLog { .. } => (0, Some(2)),
            Refusal::VoteLeaderAlive { .. } | Refusal::VotePromised { .. } => (0, Some(3)),
            Refusal::AppendStaleTerm { .. } => (1, Some(4)),
            Refusal::AppendGap { .. } | Refusal::AppendMismatch { .. } => (1, None),
            Refusal::LogFull { .. } => (2, Some(5)),
            Refusal::Uncommitted { .. } => (2, Some(6)),
            Refusal::NotLeader { .. }
            | Refusal::ChangeUnderWay { .. }
            | Refusal::NothingCommitted { .. }
            | Refusal::LearnerBehind { .. }
            | Refusal::NoVoters
            | Refusal::NotSimple { .. }
            | Refusal::Joint
            | Refusal::NotJoint
            | Refusal::Transferring { .. }
            | Refusal::NoVoter { .. } => (2, None),
            // That is no answer to anybody, and always worth a sentence.
            Refusal::LeadQuorumSilent { .. } | Refusal::LeadDiskStalled { .. } => {
                return story.tell('✗', Tone::Plain, refusal(node, peer, why));
            }
        };
        self.refused[family] += 1;
        // What answers an echo of the past is not worth a sentence.
        let role = nodes.get(peer).and_then(|peer| peer.role);
        let current = match family {
            0 => matches!(role, Some(Role::PreCandidate | Role::Candidate)),
            1 => role == Some(Role::Leader),
            _ => true,
        };
        if let Some(kind) = kind
            && current
            && self.told.insert((peer, kind))
        {
            story.tell('✗', Tone::Plain, refusal(node, peer, why));
        }
    }

    /// How often nodes turned somebody down, in all.
    pub(super) fn refusals(&self) -> Option<String> {
        let [votes, appends, requests] = self.refused;
        (self.refused != [0; 3]).then(|| {
            format!(
                "in all, {votes} votes or pre-votes were refused, {appends} appends that did not fit a log, and \
                 {requests} requests by nodes that did not lead"
            )
        })
    }
}

/// Which entries a node drops from `from` on, in a sentence; `None` if it has none there.
#[must_use]
pub fn dropped(node: NodeId, from: u64, before: &Node) -> Option<String> {
    let last = before.log.last();
    if from > last {
        return None;
    }
    let entries = if from == last { format!("entry {from}") } else { format!("entries {from} to {last}") };
    let (first, newest) = (before.log.term(from), before.log.term(last));
    let terms = if first == newest { format!("term {first}") } else { format!("terms {first} to {newest}") };
    let leader = before.term;
    Some(format!("S{node} drops {entries} of {terms}: the leader of term {leader} has others there (paper, 5.3)"))
}
