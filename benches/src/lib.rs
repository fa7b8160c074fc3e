//! What the benchmarks share; the benchmarks themselves are the `[[bench]]` targets of this package.

use raftbox::plan::Header;
use raftbox::units::{Size, Span, Spans};

/// The memory of each guest under the load, in bytes: enough for some seconds of it, since nothing is compacted yet.
pub const ARENA: u64 = 16 << 20;

/// The load that speed is told of: five nodes, 16 clients that ask again as soon as they are answered, puts of 100 bytes,
/// a good network, for so long (simulated).
#[must_use]
pub fn load(duration: Span, arena: Size) -> Header {
    raftbox_tests::header("calm", 1, |scenario| {
        scenario.duration = duration;
        scenario.arena = arena;
        scenario.clients.count = 16;
        scenario.clients.think = Spans::micros(0, 0);
        scenario.clients.value = Size(100);
        scenario.clients.mix = [0, 0, 0, 1, 0, 0];
    })
}
