//! The labels that metrics have: closed sets, each value with its word.

/// A label's name and value.
pub(super) type Label = [(&'static str, &'static str); 1];

/// A set of values of one label; a value's number is its place in [`Labels::VALUES`].
pub(super) trait Labels {
    /// The label's name.
    const NAME: &'static str;
    /// Its values.
    const VALUES: &'static [&'static str];
}

macro_rules! labels {
    ($(#[doc = $doc:literal])+ $set:ident = $label:literal { $($(#[doc = $what:literal])+ $name:ident = $word:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $set { $($(#[doc = $what])+ $name),+ }

        impl Labels for $set {
            const NAME: &'static str = $label;
            const VALUES: &'static [&'static str] = &[$($word),+];
        }
    };
}

labels! {
    /// What is spoken over a connection.
    Connections = "kind" {
        /// Requests.
        Http = "http",
        /// The sync protocol.
        Sync = "sync",
    }
}

labels! {
    /// Where an edit came from.
    Source = "source" {
        /// The HTTP API: one edit, or a file that was uploaded.
        Http = "http",
        /// A message of a sync peer that brought changes.
        Sync = "sync",
        /// The JSON on disk, or a conflict copy beside it.
        File = "file",
        /// A list that an old client posted.
        OldClient = "old_client",
        /// The runner: how a run goes.
        Runner = "runner",
        /// What another device published in the folder.
        Folder = "folder",
    }
}

labels! {
    /// What the engine took in.
    Merged = "input" {
        /// A sync message.
        Sync = "sync",
        /// One edit.
        Edit = "edit",
        /// A file or list.
        Import = "import",
    }
}

labels! {
    /// Why something was refused.
    Refusal = "reason" {
        /// The guard or the engine refused a peer's bytes.
        Guard = "guard",
        /// It is not what it should be: no JSON, no frame.
        Unreadable = "unreadable",
        /// It is past a limit of size, number or time.
        Limits = "limits",
        /// The peer or client does not keep to the protocol.
        Protocol = "protocol",
        /// `Host` is not this server.
        Host = "host",
        /// `Origin` is a page that may not use this server.
        Origin = "origin",
        /// The token is missing or wrong.
        Auth = "auth",
        /// The content type is not read here.
        ContentType = "content_type",
        /// A value is not allowed.
        Value = "value",
        /// The state does not allow it, or it must be confirmed.
        Conflict = "conflict",
        /// Not now: stopping, read-only, or full.
        Unavailable = "unavailable",
        /// The server or a generator failed.
        Failure = "failure",
    }
}
