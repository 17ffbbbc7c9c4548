//! Support for whole-system tests: a seeded generator of chance, and a network of replicas
//! in one process.

pub mod chance;
pub mod sim;
