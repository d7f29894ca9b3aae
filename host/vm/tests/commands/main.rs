//! Commands and files in a machine, over the real sshd and systemd of a system container. One container for all checks.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod files;
mod lease;
mod place;
mod runs;

use anyhow::Result;

use place::Place;

#[tokio::test]
async fn commands_outlive_connections_and_files_arrive_whole() -> Result<()> {
    let place = Place::start()?;
    runs::output_and_status_are_kept(&place).await?;
    runs::a_new_process_reads_on_where_the_old_one_died(&place).await?;
    runs::what_was_begun_is_read_on_when_its_connection_breaks(&place).await?;
    runs::starting_twice_starts_once(&place).await?;
    runs::a_credential_is_there_for_its_command_alone(&place).await?;
    runs::every_end_has_its_name(&place).await?;
    runs::a_cancelled_command_stops_with_all_its_children(&place).await?;
    runs::a_flood_ends_at_the_limit(&place).await?;
    runs::a_command_that_is_gone_is_lost(&place).await?;
    runs::one_that_was_started_ahead_takes_the_first_command(&place).await?;
    files::arrive_whole_or_not_at_all(&place).await?;
    files::names_are_no_commands(&place).await?;
    place.nothing_is_said_to_another_host().await?;
    lease::is_renewed_and_then_ends_the_machine(&place).await
}
