//! Why a node turned somebody down.

use super::{Rule, Why, rule, span};
use raftbox_abi::note::Refusal;

/// The values that were compared, and the rule.
pub(super) fn of(headline: String, refusal: &Refusal) -> Why {
    let entry = |(index, term): (u64, u64)| format!("{index}@{term}");
    let terms = |rule: Rule, mine: u64, theirs: u64, whose: &str| {
        Why::new(headline.clone(), rule).row(format!("term of the {whose}"), theirs).row("own term", mine)
    };
    match *refusal {
        Refusal::VoteStaleTerm { mine, theirs } => terms(rule::VOTE_TERM, mine, theirs, "candidate"),
        Refusal::AppendStaleTerm { mine, theirs } => terms(rule::APPEND_TERM, mine, theirs, "sender"),
        Refusal::VoteTaken { term, by } => {
            Why::new(headline, rule::VOTE_ONCE).row("term", term).row("own vote in it", format!("S{by}"))
        }
        Refusal::VoteOlderLog { mine, theirs } => Why::new(headline, rule::VOTE_LOG)
            .row("last entry of the candidate", entry(theirs))
            .row("own last entry", entry(mine))
            .row("what decides", if mine.1 == theirs.1 { "the index" } else { "the term" }),
        Refusal::VoteLeaderAlive { leader, heard, minimum } => Why::new(headline, rule::VOTE_ALIVE)
            .row("leader", format!("S{leader}"))
            .row("heard", format!("{} ago", span(heard)))
            .row("minimum election timeout", span(minimum)),
        Refusal::VotePromised { left } => {
            Why::new(headline, rule::LEASE).row("a lease may last for", format!("{} yet", span(left)))
        }
        Refusal::AppendGap { previous, last } => Why::new(headline, rule::APPEND_PREVIOUS)
            .row("prevLogIndex", previous)
            .row("own last index", last)
            .row("own entry there", "none"),
        Refusal::AppendMismatch { previous, mine, theirs } => Why::new(headline, rule::APPEND_PREVIOUS)
            .row("prevLogIndex", previous)
            .row("prevLogTerm", theirs)
            .row("own entry there", entry((previous, mine))),
        Refusal::NotLeader { hint } => {
            let leader = if hint == 0 { "nobody".to_owned() } else { format!("S{hint}") };
            Why::new(headline, rule::REDIRECT).row("leader that the node knows", leader)
        }
        Refusal::Uncommitted { bytes, bound } => Why::new(headline, rule::UNCOMMITTED)
            .row("bytes that would not be committed", bytes)
            .row("bytes that may be", bound),
        Refusal::LogFull { bytes, bound } => Why::new(headline, rule::LOG_FULL)
            .row("bytes that the log would have", bytes)
            .row("bytes that it may have", bound),
        Refusal::ChangeUnderWay { index, commit } => {
            Why::new(headline, rule::ONE_CHANGE).row("entry of the change under way", index).row("commit index", commit)
        }
        Refusal::NothingCommitted { term, commit } => {
            Why::new(headline, rule::OWN_COMMIT).row("own term", term).row("commit index, of an earlier term", commit)
        }
        Refusal::LearnerBehind { learner, matched, needed } => Why::new(headline, rule::CATCH_UP)
            .row("learner", format!("S{learner}"))
            .row("match index", matched)
            .row("index that it needs", needed),
        Refusal::NoVoters => Why::new(headline, rule::VOTERS).row("voters afterwards", 0),
        Refusal::NotSimple { changed } => {
            Why::new(headline, rule::ONE_VOTER).row("voters that would come or go", changed)
        }
        Refusal::Joint => Why::new(headline, rule::JOINT).row("configuration", "joint"),
        Refusal::NotJoint => Why::new(headline, rule::JOINT).row("configuration", "not joint"),
        Refusal::Transferring { to } => {
            Why::new(headline, rule::TRANSFER).row("leader that is to be", format!("S{to}"))
        }
        Refusal::NoVoter { node } => {
            Why::new(headline, rule::TRANSFER).row("who is to lead", format!("S{node}")).row("voter", "no")
        }
        Refusal::LeadQuorumSilent { heard, voters, within } => Why::new(headline, rule::CHECK_QUORUM)
            .row("voters that it heard, itself included", heard)
            .row("voters", voters)
            .row("within", span(within)),
        Refusal::LeadDiskStalled { stalled, bound } => Why::new(headline, rule::DISK_STALL)
            .row("its sync has taken", span(stalled))
            .row("and may take", span(bound)),
    }
}
