//! `stead app`: day to day with apps, by the program itself on a real engine.

mod clean;
mod list;
mod logs;
mod plugin;
pub(crate) mod repo;
mod run;
mod swarm;
