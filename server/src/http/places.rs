//! How many connections there may be at once: as many as the system allows, within our own limits.
//!
//! Each connection is an open file to the system, and documents need some too. [`raise_open_files`]
//! is the program's first step: systems give a process few files and let it take more.
//!
//! **Invariant:** connections never take the files that documents need.

use super::limits::{CONNECTIONS_MAX, FILES_RESERVED, SYNC_PEERS_MAX};

/// Open files that are asked for, where the system allows more. A program that we start inherits
/// the limit, and some walk through all that they might have open.
#[cfg(unix)]
const FILES_ASKED: u64 = 65_536;

/// The most that macOS gives to a process whose limit it calls unlimited.
#[cfg(unix)]
const FILES_OF_UNLIMITED: u64 = 10_240;

/// See the module's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// Connections at once.
    pub connections: usize,
    /// WebSocket peers among them.
    pub sync_peers: usize,
}

impl Places {
    /// As many as this process may have now.
    #[must_use]
    pub fn here() -> Self {
        Self::within(open_files_max())
    }

    /// As many as fit where `files` may be open; `None` is no limit.
    fn within(files: Option<usize>) -> Self {
        let of = |files: usize| files.saturating_sub(FILES_RESERVED).max(files / 2);
        let connections = files.map_or(CONNECTIONS_MAX, of).min(CONNECTIONS_MAX);
        Self {
            connections,
            sync_peers: (connections - connections / 4).min(SYNC_PEERS_MAX),
        }
    }
}

/// Lets this process have more files open, if the system allows it: for whoever is the process.
pub fn raise_open_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let now = getrlimit(Resource::Nofile);
        for asked in [FILES_ASKED, FILES_OF_UNLIMITED] {
            let asked = now.maximum.map_or(asked, |maximum| maximum.min(asked));
            if now.current.is_none_or(|current| current >= asked) {
                return;
            }
            let more = Rlimit {
                current: Some(asked),
                ..now
            };
            if setrlimit(Resource::Nofile, more).is_ok() {
                return;
            }
        }
    }
}

/// How many files this process may have open; `None` where there is no such limit.
fn open_files_max() -> Option<usize> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};
        let files = getrlimit(Resource::Nofile).current?;
        Some(usize::try_from(files).unwrap_or(usize::MAX))
    }
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s5_connections_follow_the_systems_limit_and_leave_files_for_documents() {
        let places = |files| {
            let places = Places::within(files);
            (places.connections, places.sync_peers)
        };
        assert_eq!(places(None), (16_384, 12_288));
        assert_eq!(places(Some(1_000_000)), (16_384, 12_288));
        assert_eq!(places(Some(4_096)), (3_584, 2_688));
        assert_eq!(places(Some(1_024)), (512, 384));
        assert_eq!(places(Some(256)), (128, 96));
        assert_eq!(places(Some(0)), (0, 0));
    }
}
