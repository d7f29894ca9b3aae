//! stead turns a fresh server into a team's infrastructure, from one git repo.

pub mod apply;
pub mod author;
pub mod backup;
pub mod capability;
pub mod cli;
pub mod digest;
pub mod error;
pub mod event;
pub mod exit;
pub mod follow;
pub mod grant;
pub mod guard;
pub mod job;
pub mod journal;
pub mod lock;
pub mod machine;
pub mod observe;
pub mod plan;
pub mod policy;
mod random;
pub mod registry;
pub mod remote;
pub mod repo;
pub mod secret;
pub mod session;
pub mod stage;
