//! Why the guard refuses: what was found, where, and what is allowed.

/// Why bytes were refused. Nothing of them should be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// A chunk is not what it should be.
    #[error("chunk {chunk} at byte {at} {fault}")]
    Chunk {
        /// Which one, counted from 1.
        chunk: u64,
        /// Where it begins, in bytes from the start of what was checked.
        at: usize,
        /// What is wrong with it.
        fault: Fault,
    },
    /// What stands around the chunks of a sync message is not what it should be.
    #[error("the sync message {fault} at byte {at}")]
    Message {
        /// Where, in bytes from its start.
        at: usize,
        /// What is wrong with it.
        fault: MessageFault,
    },
}

/// What is wrong with a chunk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It does not have the first four bytes of one.
    #[error("does not begin as an automerge chunk")]
    NoChunk,
    /// The bytes end before it does.
    #[error("is cut short")]
    CutShort,
    /// Its kind is unknown.
    #[error("is of kind {kind}; the kinds 0 to 3 are known")]
    Kind {
        /// The kind found.
        kind: u8,
    },
    /// Its contents were changed.
    #[error("does not fit its checksum")]
    Checksum,
    /// A compressed part cannot be inflated.
    #[error("has a damaged compressed part")]
    Deflate,
    /// A column of a change is compressed, which only those of documents may be.
    #[error("has a compressed column, which no change may have")]
    CompressedColumn,
    /// A number in it has too many bits, or a part of it ends in the middle of one.
    #[error("has damaged contents, {part}")]
    Damaged {
        /// In which part.
        part: Part,
    },
    /// It claims too much.
    #[error("claims {found} {claim}; the limit is {max}")]
    TooMany {
        /// Of what.
        claim: Claim,
        /// How many.
        found: u64,
        /// How many are allowed.
        max: u64,
    },
    /// It claims too much together with the chunks before it.
    #[error("brings all that arrived to {found} {claim}; the limit is {max}")]
    TooManyInAll {
        /// Of what.
        claim: Claim,
        /// How many.
        found: u64,
        /// How many are allowed.
        max: u64,
    },
    /// It inflates to too much.
    #[error("unpacks to more than {max} bytes, the limit")]
    Unpacks {
        /// How many bytes are allowed.
        max: u64,
    },
    /// It names an actor that it does not list.
    #[error("refers to actor {index}; it lists {actors}")]
    Actor {
        /// Which one, counted from 0.
        index: u64,
        /// How many it lists.
        actors: u64,
    },
    /// Its values are longer than the bytes that hold them.
    #[error("claims {claimed_bytes} bytes of values; {have_bytes} are there")]
    Values {
        /// Bytes claimed.
        claimed_bytes: u64,
        /// Bytes there are.
        have_bytes: u64,
    },
}

/// A part of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What stands before its columns.
    Head,
    /// The list of its columns.
    Columns,
    /// The column with this specification, as automerge numbers them.
    Column(u32),
    /// What follows its columns.
    Tail,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Head => f.write_str("before its columns"),
            Self::Columns => f.write_str("in its list of columns"),
            Self::Column(spec) => write!(f, "in its column {spec}"),
            Self::Tail => f.write_str("after its columns"),
        }
    }
}

/// What can be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Rows of a column.
    Rows,
    /// Actors.
    Actors,
    /// Changes that are the first of their actor.
    NewActors,
    /// Columns.
    Columns,
    /// Bytes of the index by which automerge finds what each actor had written at each version.
    ClockBytes,
    /// Bytes that come out of compressed parts and repeated texts.
    UnpackedBytes,
}

impl std::fmt::Display for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rows => "rows",
            Self::Actors => "actors",
            Self::NewActors => "new actors",
            Self::Columns => "columns",
            Self::ClockBytes => "bytes of clocks",
            Self::UnpackedBytes => "unpacked bytes",
        })
    }
}

/// What is wrong with a sync message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageFault {
    /// It ends too early, or a number in it has too many bits.
    #[error("is damaged or cut short")]
    Damaged,
    /// Its kind is unknown.
    #[error("is of kind {kind}; the kinds 66 and 67 are known")]
    Kind {
        /// The kind found.
        kind: u8,
    },
    /// It describes what the peer has too often.
    #[error("says {found} times what its sender has; the limit is {max}")]
    Haves {
        /// How often.
        found: u64,
        /// How often it may.
        max: u64,
    },
    /// A filter asks for too much work, or for none of its bits.
    #[error(
        "has a filter of {entries} entries with {bits} bits and {probes} probes each; \
         at least 1 bit and at most {max} probes are allowed"
    )]
    Filter {
        /// Entries claimed.
        entries: u64,
        /// Bits of each.
        bits: u64,
        /// Probes of each.
        probes: u64,
        /// Probes allowed.
        max: u64,
    },
}
