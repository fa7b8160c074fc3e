//! The rules that a [`Why`](super::Why) names: those of figure 2 of the Raft paper, in its words, and those of this world.

/// A rule, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The rule.
    pub text: &'static str,
    /// Where it stands.
    pub section: &'static str,
}

macro_rules! rules {
    ($($(#[$meta:meta])* $name:ident: $section:literal, $text:literal;)+) => {
        $($(#[$meta])* pub const $name: Rule = Rule { text: $text, section: $section };)+

        /// Every rule.
        pub const ALL: &[Rule] = &[$($name,)+];
    };
}

rules! {
    /// A candidate of an old term.
    VOTE_TERM: "paper, figure 2 (RequestVote, receiver 1) and 5.1",
        "Reply false if term < currentTerm.";
    /// One vote a term.
    VOTE_ONCE: "paper, figure 2 (RequestVote, receiver 2) and 5.2",
        "Grant the vote only if votedFor is null or the candidate: one vote in a term, first come, first served.";
    /// The log decides.
    VOTE_LOG: "paper, figure 2 (RequestVote, receiver 2) and 5.4.1",
        "Grant the vote only if the candidate's log is at least as up to date: a later last term wins; with equal last \
         terms the longer log does.";
    /// A living leader is not unseated.
    VOTE_ALIVE: "thesis, 4.2.3 and 9.6",
        "A node that hears a leader grants no vote until the leader has been silent for the minimum election timeout.";
    /// An append of an old term.
    APPEND_TERM: "paper, figure 2 (AppendEntries, receiver 1) and 5.1",
        "Reply false if term < currentTerm.";
    /// The consistency check.
    APPEND_PREVIOUS: "paper, figure 2 (AppendEntries, receiver 2) and 5.3",
        "Reply false if the log has no entry at prevLogIndex whose term is prevLogTerm.";
    /// A conflict.
    APPEND_CONFLICT: "paper, figure 2 (AppendEntries, receiver 3) and 5.3",
        "If an existing entry conflicts with a new one (same index, other term), delete it and all that follow it.";
    /// New entries.
    APPEND_NEW: "paper, figure 2 (AppendEntries, receiver 4) and 5.3",
        "Append any new entries that are not in the log already.";
    /// A follower's commit index.
    COMMIT_FOLLOWER: "paper, figure 2 (AppendEntries, receiver 5) and 5.3",
        "If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of the last new entry).";
    /// Applying.
    APPLY: "paper, figure 2 (all servers) and 5.3",
        "If commitIndex > lastApplied: increment lastApplied, and apply log[lastApplied] to the state machine.";
    /// A higher term.
    HIGHER_TERM: "paper, figure 2 (all servers) and 5.1",
        "If a message carries a term T > currentTerm: set currentTerm = T, and convert to follower.";
    /// A follower hears nothing.
    ELECTION_TIMEOUT: "paper, figure 2 (followers, candidates) and 5.2",
        "If the election timeout elapses without hearing a current leader or granting a vote: convert to candidate, \
         increment currentTerm, vote for oneself, and ask the others.";
    /// It asks before.
    PRE_VOTE: "thesis, 9.6",
        "Before it raises its term, a node asks whether a majority would vote for it, so that one that was cut off \
         disturbs nobody.";
    /// An election is won.
    MAJORITY: "paper, figure 2 (candidates) and 5.2",
        "If votes come from a majority of the voters: become leader.";
    /// An election is lost.
    OTHER_LEADER: "paper, figure 2 (candidates) and 5.2",
        "If an AppendEntries of a new leader comes: convert to follower.";
    /// A follower learns of its leader.
    FOLLOW: "paper, 5.2",
        "Whoever sends a valid AppendEntries in a term is the leader of that term.";
    /// A leader takes a command.
    LEADER_APPEND: "paper, figure 2 (leaders) and 5.3",
        "If a command comes from a client: append it to the log, and answer once it is applied.";
    /// A leader begins its term.
    LEADER_NOOP: "paper, 8",
        "A leader begins its term with an entry that does nothing, since only an entry of its own term tells it what is \
         committed.";
    /// A leader commits.
    LEADER_COMMIT: "paper, figure 2 (leaders), 5.3 and 5.4",
        "If there is an N > commitIndex that a majority has on its disks, and log[N].term == currentTerm: set \
         commitIndex = N.";
    /// Entries of earlier terms.
    LEADER_OLD_TERM: "paper, 5.4.2 and figure 8",
        "Only entries of the leader's own term are committed by counting copies; earlier ones are committed with them.";
    /// Only a leader commits.
    NO_LEADER: "paper, 5.3",
        "The leader decides when an entry is committed; while nobody leads, nothing is.";
    /// What must be on the disk.
    PERSISTENT: "paper, figure 2 (state) and 5.1",
        "currentTerm, votedFor and the log are on stable storage before a node answers.";
    /// Members.
    CONFIGURATION: "paper, 6",
        "A node goes by the latest configuration in its log, committed or not.";
    /// A snapshot.
    SNAPSHOT: "paper, 7",
        "A snapshot takes the place of the log up to an index; a leader sends it to whom the rest would not help.";
    /// A read.
    READ: "thesis, 6.4",
        "A read must not miss a write that was acknowledged before it was asked.";
    /// A lease.
    LEASE: "thesis, 6.4.1",
        "A leader that a majority heard answers reads for as long as nobody else can be elected: whoever heard it votes for \
         nobody else for the shortest election timeout, by clocks that differ by less than a bound.";
    /// Somebody else leads.
    REDIRECT: "paper, 8",
        "Only the leader serves clients; others turn a request down, and name the leader if they know it.";
    /// A client tries again.
    RETRY: "paper, 8, and thesis, 6.3",
        "A client whose request is not answered in time tries it again, under the same number, so that it takes effect \
         once.";
    /// A client gives up.
    UNKNOWN: "thesis, 6.3",
        "An operation that was not answered may have taken effect, or may yet; the client goes on in a new session.";
    /// An echo.
    STALE: "thesis, 6.3",
        "A command whose number is below the last one applied in its session is an echo, and takes no effect.";
    /// The session is gone.
    SESSION: "thesis, 6.3",
        "A command of a session that is not there takes no effect.";
    /// An answer.
    ANSWER: "paper, figure 2 (leaders) and 5.3",
        "The leader answers after the entry was applied to its state machine.";
    /// The log is full.
    LOG_FULL: "raftbox: the client protocol",
        "A leader whose log or state machine has reached its bound takes no more commands.";
    /// Too much is not committed.
    UNCOMMITTED: "raftbox: flow control",
        "A leader that cannot commit takes only so much more: whoever asked it for that waits for an answer.";
    /// Two changes of members.
    ONE_CHANGE: "thesis, 4.1",
        "No change of members begins while another is not committed: two at once could lead to majorities with no node in common.";
    /// A new leader's change of members.
    OWN_COMMIT: "thesis, 4.1, as corrected in 2015",
        "A leader changes the members only once it has committed an entry of its own term.";
    /// A promotion.
    CATCH_UP: "thesis, 4.2.1",
        "A server votes once it has caught up: else nothing could be committed until it has.";
    /// A transfer of leadership.
    TRANSFER: "thesis, 3.10",
        "A leader that hands over to another voter takes nothing new until that one has all of its log and campaigns.";
    /// A leader that hears too few.
    CHECK_QUORUM: "thesis, 6.2",
        "A leader steps down if an election timeout elapses without a successful round of heartbeats to a majority.";
    /// A leader whose disk stalls.
    DISK_STALL: "raftbox: elections",
        "A leader that can keep nothing leaves the lead to others, who can.";
    /// Nobody to vote.
    VOTERS: "paper, 6",
        "Elections and commitment need a majority of the voters, so there must be some.";
    /// A simple change.
    ONE_VOTER: "thesis, 4.1",
        "In one step at most one voter comes or goes: then any majority of before and of after have a node in common.";
    /// A joint configuration.
    JOINT: "paper, 6",
        "A joint configuration is entered from a simple one, and left before the next change.";
    /// Nonsense.
    MALFORMED: "raftbox: the client protocol",
        "What cannot be read is refused, and has no effect.";
    /// A link is cut.
    CUT: "raftbox: the network",
        "What is sent or would arrive while its link is cut is lost.";
    /// Chance.
    LOSS: "raftbox: the network",
        "The network may lose, delay, double and reorder messages; what it does was drawn, or asked for, when the message \
         was sent.";
    /// An alarm.
    ALARM: "raftbox: the clocks",
        "An alarm rings at the first moment at which the node's own clock reads what it was set to.";
    /// A crash.
    CRASH: "raftbox: the disks",
        "A node that crashes loses its memory. What it wrote and had not synced is in doubt until it boots again.";
    /// A boot.
    BOOT: "raftbox: the disks",
        "Of what was not synced before a crash, each sector is there or is not; all that was synced is there.";
    /// A disk failed.
    SYNC_FAILED: "raftbox: the disks",
        "What a failed sync covers never becomes durable.";
    /// A disk is not what it says.
    DISK: "raftbox: the disks",
        "A disk may fail, fill up, lie, or change what it keeps. Checksums tell a node of damage; against a disk that forgets \
         what it said was durable, no node of Raft is safe.";
    /// A node stopped itself.
    HALT: "raftbox: the boundary",
        "A guest that cannot go on safely stops itself, and says why.";
    /// A node trapped.
    TRAP: "raftbox: the boundary",
        "A guest that panics, or asks for what no guest may have, is down.";
    /// A cause with nothing to act on.
    MOOT: "raftbox: causes",
        "A cause whose subject is gone is recorded, and gives nobody a turn.";
    /// A guest's claim.
    PROPERTY: "raftbox: notes",
        "A guest may claim properties of its own; they are shown, and not judged.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_a_sentence_with_a_place() {
        for Rule { text, section } in ALL {
            assert!(text.ends_with('.') && !text.contains("  "), "{text:?}");
            assert!(
                section.starts_with("paper, ") || section.starts_with("thesis, ") || section.starts_with("raftbox: ")
            );
        }
    }
}
