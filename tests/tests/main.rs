//! Tests of the whole system, one program: they are linked once, and run side by side.
//!
//! `cargo test -p plainsync-tests crash::` runs one file of them.

mod crash;
mod damage;
mod historic;
mod legacy;
mod old_clients;
mod shared_folder;
mod simulator;
mod three_servers;
