//! Support for whole-system tests: a seeded generator of chance, a network of replicas in one
//! process, and the real program with files of its own.

pub mod chance;
pub mod folder_sync;
pub mod foreign;
pub mod forge;
pub mod historic;
pub mod home;
pub mod model;
pub mod old_page;
pub mod samod_client;
pub mod seeds;
pub mod served;
pub mod sim;
pub mod tab;
