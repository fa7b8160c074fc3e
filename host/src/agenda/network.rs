//! What becomes of a message: when it arrives, how often, or that it is lost.
//!
//! All of it is drawn when the message is sent, from a generator of its own, so that the fate of one message does not
//! depend on any other. On a link, messages arrive in the order in which they were sent, but for those drawn to be
//! overtaken. A message that is sent or would arrive while its link is cut is lost.

use super::queue::{self, Item, Queue};
use crate::draw::{Concern, Draw, Range};
use crate::event::{Alteration, ClientId, Endpoint, MessageName, Micros, NodeId};
use crate::scenario;

/// One direction between two endpoints.
#[derive(Clone, Debug)]
struct Link {
    up: bool,
    latency: Range,
    /// When the last message of those that keep their order arrives.
    last: Micros,
    /// How many messages were ever sent.
    sent: u64,
    /// Until when it is busy with what was sent, if it has a bound.
    busy: Micros,
    /// Whether nothing happens to messages at random any more.
    calm: bool,
}

/// The network's policy and state.
#[derive(Clone, Debug)]
pub struct Network {
    seed: u64,
    policy: scenario::Network,
    nodes: u32,
    clients: u32,
    links: Vec<Link>,
}

impl Network {
    /// A network among so many nodes and clients, all of whose links are up.
    #[must_use]
    pub fn new(seed: u64, policy: &scenario::Network, nodes: NodeId, clients: ClientId) -> Self {
        let link = Link { up: true, latency: policy.latency.range(), last: 0, sent: 0, busy: 0, calm: false };
        let ends = (nodes + clients) as usize;
        let mut network = Self { seed, policy: policy.clone(), nodes, clients, links: vec![link; ends * ends] };
        for special in &policy.link {
            if let Some(link) = network.link(special.from.0, special.to.0) {
                link.latency = special.latency.range();
            }
        }
        network
    }

    fn index(&self, endpoint: Endpoint) -> Option<usize> {
        let (number, most, before) = match endpoint {
            Endpoint::Node(node) => (node, self.nodes, 0),
            Endpoint::Client(client) => (client, self.clients, self.nodes),
        };
        (1..=most).contains(&number).then_some((before + number - 1) as usize)
    }

    fn place(&self, from: Endpoint, to: Endpoint) -> Option<usize> {
        let ends = (self.nodes + self.clients) as usize;
        Some(self.index(from)? * ends + self.index(to)?)
    }

    fn link(&mut self, from: Endpoint, to: Endpoint) -> Option<&mut Link> {
        let place = self.place(from, to)?;
        self.links.get_mut(place)
    }

    /// Whether a link carries messages.
    pub fn is_up(&mut self, from: Endpoint, to: Endpoint) -> bool {
        self.link(from, to).is_some_and(|link| link.up)
    }

    /// How many messages were ever sent there.
    pub fn sent(&mut self, from: Endpoint, to: Endpoint) -> u64 {
        self.link(from, to).map_or(0, |link| link.sent)
    }

    /// Cuts or heals one direction.
    pub fn set(&mut self, from: Endpoint, to: Endpoint, up: bool) {
        if let Some(link) = self.link(from, to) {
            link.up = up;
        }
    }

    /// Every link that is cut.
    #[must_use]
    pub fn cuts(&self) -> Vec<(Endpoint, Endpoint)> {
        let ends: Vec<_> = self.endpoints().collect();
        let cut = |(index, _): (usize, _)| (ends[index / ends.len()], ends[index % ends.len()]);
        self.links.iter().enumerate().filter(|(_, link)| !link.up).map(cut).collect()
    }

    /// Every node, then every client.
    pub fn endpoints(&self) -> impl Iterator<Item = Endpoint> + use<> {
        (1..=self.nodes).map(Endpoint::Node).chain((1..=self.clients).map(Endpoint::Client))
    }

    /// From now on nothing happens at random to messages on the links for which `calm` is so.
    pub fn calm(&mut self, calm: impl Fn(Endpoint, Endpoint) -> bool) {
        let ends: Vec<_> = self.endpoints().collect();
        let pairs = ends.iter().flat_map(|from| ends.iter().map(move |to| (*from, *to)));
        for (link, (from, to)) in self.links.iter_mut().zip(pairs) {
            link.calm = calm(from, to);
        }
    }

    /// Decides what becomes of a message of so many bytes that is sent now; which of its bytes change on the way.
    pub fn send(&mut self, at: Micros, message: MessageName, bytes: u32, queue: &mut Queue) -> Option<Alteration> {
        let key = [queue::endpoint(message.from), queue::endpoint(message.to), message.n];
        let mut draw = Draw::new(self.seed, Concern::Message, key);
        let place = self.place(message.from, message.to);
        let policy = &self.policy;
        let Some(link) = place.and_then(|place| self.links.get_mut(place)) else {
            queue.push(at + draw.within(policy.latency.range()), Item::Lose(message, false));
            return None;
        };
        link.sent = message.n + 1;
        let random = !link.calm;
        let mut arrives = at + draw.within(link.latency);
        let mut lost = draw.happens(policy.loss) && random || !link.up;
        let overtaken = draw.happens(policy.reorder) && random;
        let doubled = draw.happens(policy.duplicate) && random;
        // What follows was drawn later in the life of this file, from draws of its own, so that it changes no other.
        let mut more = Draw::new(self.seed, Concern::Message, [key[0], key[1], !message.n]);
        if more.happens(policy.spike) && random {
            arrives += more.within(policy.spike_delay.range());
        }
        if policy.bandwidth.0 > 0 {
            let waits = link.busy.saturating_sub(at);
            let queued = waits * policy.bandwidth.0 / 1_000_000;
            if policy.queue.0 > 0 && queued > policy.queue.0 {
                lost = true;
            } else {
                let takes = u64::from(bytes) * 1_000_000 / policy.bandwidth.0;
                link.busy = link.busy.max(at) + takes;
                arrives += waits + takes;
            }
        }
        // The client protocol has no checksum, so nothing of it is changed at random.
        let checked = matches!((message.from, message.to), (Endpoint::Node(_), Endpoint::Node(_)));
        let altered = (more.happens(policy.corrupt) && random && checked && bytes > 0).then(|| Alteration {
            offset: u32::try_from(more.below(u64::from(bytes))).expect("it is below a number of 32 bits"),
            xor: u8::try_from(1 + more.below(255)).expect("it is below 256"),
        });
        if overtaken {
            arrives += draw.within(policy.reorder_delay.range());
        } else {
            // Later than the one before, not just as late: ties have no order.
            arrives = arrives.max(link.last + 1);
            link.last = arrives;
        }
        if lost {
            let late = draw.happens(policy.late);
            queue.push(arrives, Item::Lose(message, late));
            if late {
                queue.push(arrives + draw.within(policy.late_delay.range()), Item::Deliver(message, 0, false));
            }
        } else if doubled {
            let again = arrives + draw.within(policy.reorder_delay.range());
            queue.push(arrives, Item::Deliver(message, 0, true));
            queue.push(again, Item::Deliver(message, 1, false));
        } else {
            queue.push(arrives, Item::Deliver(message, 0, false));
        }
        altered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Ratio;
    use crate::units::{Size, Spans};

    const A: Endpoint = Endpoint::Node(1);
    const B: Endpoint = Endpoint::Node(2);

    /// Sends a thousand messages from A to B, one a millisecond, and tells what becomes of them, in order of time.
    fn thousand(policy: &scenario::Network, cut: bool) -> Vec<(Micros, Item)> {
        let mut network = Network::new(1, policy, 2, 0);
        network.set(A, B, !cut);
        let mut queue = Queue::new(1);
        for n in 0..1000 {
            network.send(n * 1000, MessageName { from: A, to: B, n }, 100, &mut queue);
        }
        std::iter::from_fn(|| queue.pop().map(|due| (due.at, due.item))).collect()
    }

    fn arrivals(items: &[(Micros, Item)]) -> Vec<u64> {
        let arrival = |(_, item): &(Micros, Item)| match item {
            Item::Deliver(name, ..) => Some(name.n),
            _ => None,
        };
        items.iter().filter_map(arrival).collect()
    }

    fn policy() -> scenario::Network {
        scenario::Network { latency: Spans::micros(100, 9_000), ..scenario::Network::default() }
    }

    #[test]
    fn on_a_good_link_everything_arrives_once_and_in_order() {
        let items = thousand(&policy(), false);
        assert_eq!(arrivals(&items), (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn messages_are_lost_and_some_come_back_late() {
        let policy = scenario::Network { loss: Ratio { times: 1, of: 2 }, late: Ratio { times: 1, of: 2 }, ..policy() };
        let items = thousand(&policy, false);
        let lost = items.iter().filter(|(_, item)| matches!(item, Item::Lose(_, false))).count();
        let late = items.iter().filter(|(_, item)| matches!(item, Item::Lose(_, true))).count();
        assert!((200..300).contains(&lost) && (200..300).contains(&late), "{lost} lost, {late} late");
        assert_eq!(arrivals(&items).len(), 1000 - lost);
    }

    #[test]
    fn messages_are_doubled_and_the_last_copy_is_said_to_be_the_last() {
        let items = thousand(&scenario::Network { duplicate: Ratio::ALWAYS, ..policy() }, false);
        assert_eq!(arrivals(&items).len(), 2000);
        let mut over = std::collections::BTreeSet::new();
        for (_, item) in items {
            let Item::Deliver(name, _, keep) = item else { panic!("nothing is lost") };
            assert!(!over.contains(&name), "{name} comes after its last copy");
            if !keep {
                over.insert(name);
            }
        }
        assert_eq!(over.len(), 1000);
    }

    #[test]
    fn messages_are_overtaken() {
        let items = thousand(&scenario::Network { reorder: Ratio { times: 1, of: 10 }, ..policy() }, false);
        let arrivals = arrivals(&items);
        assert_eq!(arrivals.len(), 1000);
        assert!(arrivals.windows(2).filter(|pair| pair[0] > pair[1]).count() > 20);
    }

    #[test]
    fn some_messages_hold_up_those_behind_them_and_a_narrow_link_holds_up_all() {
        let last = |policy: &scenario::Network| {
            let items = thousand(policy, false);
            assert_eq!(arrivals(&items), (0..1000).collect::<Vec<_>>());
            items.last().unwrap().0
        };
        let spikes = scenario::Network {
            spike: Ratio { times: 1, of: 10 },
            spike_delay: Spans::micros(400_000, 500_000),
            ..policy()
        };
        let narrow = scenario::Network { bandwidth: Size(50_000), ..policy() };
        assert!(last(&policy()) < 1_010_000 && last(&spikes) > 1_200_000);
        // A hundred bytes take two milliseconds, and one is sent each.
        assert!((1_990_000..2_020_000).contains(&last(&narrow)), "{}", last(&narrow));
        let short = scenario::Network { queue: Size(1_000), ..narrow };
        let count = arrivals(&thousand(&short, false)).len();
        assert!((480..540).contains(&count), "{count} of 1000 got through");
    }

    #[test]
    fn some_messages_arrive_changed() {
        let corrupt = scenario::Network { corrupt: Ratio { times: 1, of: 4 }, ..policy() };
        let mut network = Network::new(1, &corrupt, 2, 0);
        let mut queue = Queue::new(1);
        let mut send = |n| network.send(n, MessageName { from: A, to: B, n }, 10, &mut queue);
        let changed: Vec<_> = (0..1000).filter_map(&mut send).collect();
        assert!((200..300).contains(&changed.len()));
        assert!(changed.iter().all(|change| change.offset < 10 && change.xor > 0));
    }

    #[test]
    fn a_cut_link_loses_what_is_sent_in_that_direction_alone() {
        assert!(arrivals(&thousand(&policy(), true)).is_empty());
        let mut network = Network::new(1, &policy(), 2, 1);
        network.set(A, B, false);
        assert_eq!(network.cuts(), [(A, B)]);
        assert!(!network.is_up(A, B) && network.is_up(B, A));
    }

    #[test]
    fn a_message_to_nobody_is_lost() {
        let mut network = Network::new(1, &policy(), 2, 0);
        let mut queue = Queue::new(1);
        network.send(0, MessageName { from: A, to: Endpoint::Node(7), n: 0 }, 100, &mut queue);
        assert!(matches!(queue.pop().unwrap().item, Item::Lose(..)));
    }

    #[test]
    fn the_fate_of_a_message_does_not_depend_on_the_others() {
        let policy = scenario::Network { loss: Ratio { times: 1, of: 2 }, ..policy() };
        let all = thousand(&policy, false);
        let mut network = Network::new(1, &policy, 2, 0);
        let mut queue = Queue::new(1);
        network.send(500_000, MessageName { from: A, to: B, n: 500 }, 100, &mut queue);
        let alone = queue.pop().unwrap();
        let same = |item: &Item| std::mem::discriminant(item) == std::mem::discriminant(&alone.item);
        let of_500 = |item: &Item| matches!(item, Item::Deliver(name, ..) | Item::Lose(name, _) if name.n == 500);
        assert!(all.iter().any(|(_, item)| of_500(item) && same(item)));
    }
}
