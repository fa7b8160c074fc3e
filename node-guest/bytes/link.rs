//! How guests are linked. The guest's build script and the tests' broken nodes share this file.

/// How the module is linked: a small stack that lies first, so that its overflow is a trap at the same depth in every
/// engine; the stack pointer exported, since with the memory it is the whole state; and a memory that has its final
/// size from the start.
pub(crate) const LINK_ARGS: [&str; 4] =
    ["-zstack-size=65536", "--export=__stack_pointer", "--initial-memory=4194304", "--max-memory=4194304"];
