//! What can be done to the queue, each operation in a file of its own.
//!
//! All of them run in one transaction with others, and no other process writes meanwhile. An operation decides before it
//! writes: when it refuses, it has changed nothing, so that the others of the transaction go on.

mod artifact;
mod cancel;
mod check;
mod claim;
mod content;
mod due;
mod end;
mod journal;
mod lease;
mod list;
mod log;
mod prune;
mod retry;
mod row;
mod spend;
mod submit;
mod tend;
mod tx;

pub(crate) use artifact::{artifacts, record_artifact};
pub(crate) use cancel::cancel;
pub(crate) use check::check;
pub(crate) use claim::claim;
pub(crate) use content::{
    begin_content, content_size, end_content, installation, old_contents, piece, put_piece, remove_content,
};
pub(crate) use due::submit_due;
pub(crate) use end::finish;
pub(crate) use journal::{append_entry, journal};
pub(crate) use lease::{bind, renew, set_progress};
pub(crate) use list::{attempts, counts, input, job, list, oldest_queued, result};
pub(crate) use log::{append_log, log};
pub(crate) use prune::{prune, prune_beyond, unused};
pub(crate) use retry::retry;
pub(crate) use spend::{reserve, settle, spent};
pub(crate) use submit::{set_limit, submit};
pub(crate) use tend::tend;
pub(crate) use tx::Tx;
