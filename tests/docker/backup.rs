//! `stead backup` and `stead restore`: real restic, real containers.

mod fails;
mod killed;
mod place;
mod postgresql;
mod round;
