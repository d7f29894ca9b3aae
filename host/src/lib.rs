//! stead turns a fresh server into a team's infrastructure, from one git repo.

pub mod capability;
pub mod digest;
pub mod grant;
pub mod journal;
pub mod lock;
pub mod machine;
pub mod plan;
pub mod policy;
pub mod secret;
pub mod stage;
