//! How the commands of this user reach a running server: a small private file in its state folder.
//!
//! ```text
//! <state>/<hash of folder>/server     {"pid", "address", "certificate"?, "token"?} and its sum, mode 0600
//! ```
//!
//! The lock says that somebody serves the folder; this file says where and, to the user who
//! started it and to nobody else, with which token.
//!
//! **Invariant:** the token stands in no file that another user, or a folder syncer, can read.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::document::disk::{Disk, RealDisk, write_whole};
use crate::document::note::{seal, unseal};

/// The file's name.
pub(crate) const NAME: &str = "server";

/// Where a server is reached from this machine, and with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Its process id: the file counts only while this process holds the lock.
    pub pid: u32,
    /// Its address, as this machine reaches it.
    pub address: SocketAddr,
    /// The SHA-256 of its certificate, in hexadecimal, if it serves https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The token that it asks for, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl Access {
    /// How this process is reached when it listens at `bound`.
    #[must_use]
    pub fn to_this_process(
        bound: SocketAddr,
        certificate: Option<String>,
        token: Option<String>,
    ) -> Self {
        let ip = match bound.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        Self {
            pid: std::process::id(),
            address: SocketAddr::new(ip, bound.port()),
            certificate,
            token,
        }
    }

    /// How process `pid` is reached that is only known to serve at `url`, if that is plain http at
    /// an address.
    #[must_use]
    pub fn at_url(pid: u32, url: &str) -> Option<Self> {
        let bound = url.strip_prefix("http://")?.trim_end_matches('/');
        let access = Self::to_this_process(bound.parse().ok()?, None, None);
        Some(Self { pid, ..access })
    }

    /// Leaves it in the state folder of the served folder.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn leave(&self, folder_state: &Path) -> io::Result<()> {
        let text = seal(&serde_json::to_string(self)?);
        write_whole(&RealDisk, &folder_state.join(NAME), &text, Some(0o600))
    }

    /// What the server left that process `pid` is, if it is this user's and has come so far.
    #[must_use]
    pub fn of(pid: u32, folder_state: &Path) -> Option<Self> {
        let text = RealDisk.read(&folder_state.join(NAME)).ok()?;
        let found: Self = serde_json::from_str(unseal(&text).ok()?).ok()?;
        (found.pid == pid).then_some(found)
    }

    /// Takes it away again: the server stops.
    pub fn withdraw(folder_state: &Path) {
        // A leftover names a process that holds no lock, and is not believed.
        let _ = RealDisk.remove(&folder_state.join(NAME));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t4_only_the_user_can_read_how_to_reach_the_server() {
        let folder = tempfile::tempdir().expect("a folder");
        let bound = "0.0.0.0:8787".parse().expect("an address");
        let access = Access::to_this_process(bound, None, Some("secret".to_owned()));
        access.leave(folder.path()).expect("written");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let metadata = folder.path().join(NAME).metadata().expect("it is there");
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        }
        let pid = std::process::id();
        let found = Access::of(pid, folder.path()).expect("found");
        assert_eq!(found.address.to_string(), "127.0.0.1:8787");
        assert_eq!(found, access);
        assert_eq!(Access::of(pid + 1, folder.path()), None);
        Access::withdraw(folder.path());
        assert_eq!(Access::of(pid, folder.path()), None);
    }
}
