//! The command line: one file per subcommand.
//!
//! It gathers what the operator says, asks the machines, and shows what they answer. It decides nothing about them.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::error::{Blame, Failure};
use crate::exit::{self, Exit};
use crate::session::Place;
use crate::{size, when};

mod agent;
mod app;
mod apply;
mod applying;
mod asking;
mod backup;
mod build;
mod compiled;
mod completions;
mod confirm;
mod drift;
mod facts;
mod firewall;
mod follow;
mod guard;
mod init;
mod job;
mod log;
mod man;
mod plan;
mod planning;
mod policy;
mod progress;
mod prompt;
mod queue;
mod recorded;
mod recover;
mod registries;
mod replay;
mod restore;
mod rollback;
mod saved;
mod secret;
mod secrets;
mod serve;
mod service;
mod settle;
mod status;
mod table;
mod targets;
mod terminal;
mod token;
mod unit;
mod vm;
mod vpn;
mod wit;

use terminal::Terminal;

/// Turns a fresh server into a team's infrastructure, from one git repo.
#[derive(Debug, Parser)]
#[command(name = "stead", version, max_term_width = 100, after_help = AFTER)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
A TARGET is the name of a host in stead.toml, or user@server, or nothing for this machine. \
`stead help targets` says which table of stead.toml applies, `stead help exit-codes` lists the exit codes.";

const TARGETS: &str = "\
Nothing is this machine. Its table in stead.toml is the one named as its hostname, else the only one without an \
address. A table with an address is never taken for this machine because it happens to be the only one.

A name in stead.toml is that host, at its address, or this machine when it has none.

user@server and ssh://user@server:port are that server, whatever ssh(1) makes of it. Its table is the one with this \
address, else with this server in its address, else of this name, else the only one without an address, else the only \
one.";

#[derive(Debug, Args)]
struct Global {
    /// The repo: a folder with stead.toml in it or above it.
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// Whether the output has colour; NO_COLOR turns `auto` off.
    #[arg(long, global = true, value_enum, default_value_t = When::Auto)]
    color: When,
    /// Show what policies say at level debug, too.
    #[arg(long, short, global = true)]
    verbose: bool,
    /// Where the machine's files lie: for tests, a tree of files instead of this machine.
    #[arg(long, global = true, hide = true, default_value = "/")]
    root: PathBuf,
    /// Where stead's record of this machine lies.
    #[arg(long, global = true, hide = true, default_value = "/var/lib/stead")]
    state: PathBuf,
}

/// Whether the output has colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Build(build::Build),
    #[command(subcommand)]
    Policy(policy::Policy),
    Facts(facts::Facts),
    Plan(plan::Plan),
    Apply(apply::Apply),
    Status(status::Status),
    Drift(drift::Drift),
    Log(log::Log),
    Replay(replay::Replay),
    Rollback(rollback::Rollback),
    Recover(recover::Recover),
    Confirm(confirm::Confirm),
    #[command(subcommand)]
    App(app::App),
    #[command(subcommand)]
    Backup(backup::Backup),
    #[command(subcommand)]
    Firewall(firewall::Firewall),
    Follow(follow::Follow),
    #[command(subcommand)]
    Job(job::Job),
    #[command(subcommand)]
    Secret(secret::Secret),
    Restore(restore::Restore),
    Serve(serve::Serve),
    Token(token::Token),
    #[command(subcommand)]
    Vm(vm::Vm),
    #[command(subcommand)]
    Vpn(vpn::Vpn),
    Completions(completions::Completions),
    Man(man::Man),
    #[command(subcommand)]
    Wit(wit::Wit),
    /// Which host a TARGET is.
    #[command(after_help = TARGETS)]
    Targets,
    /// What the exit codes mean.
    #[command(after_help = exit::table())]
    ExitCodes,
    #[command(hide = true)]
    Agent(agent::Agent),
    #[command(hide = true)]
    Guard(guard::Guard),
    #[command(hide = true)]
    Settle(settle::Settle),
}

/// What every subcommand needs.
#[derive(Debug)]
struct Context {
    repo: PathBuf,
    place: Place,
    terminal: Terminal,
}

/// Parses the command line, runs it, and answers the exit code.
pub fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => ExitCode::from(run(cli)),
        Err(error) => {
            // Nobody is left to be told that this could not be printed.
            let _ = error.print();
            ExitCode::from(if error.use_stderr() { Exit::Usage.code() } else { Exit::Done.code() })
        }
    }
}

/// Answers with the exit code, which is that of another program when one was run.
fn run(cli: Cli) -> u8 {
    let Global { repo, color, verbose, root, state } = cli.global;
    let terminal = Terminal::new(color, verbose);
    // Programs that are started in another folder are given paths in it.
    let root = std::path::absolute(&root).unwrap_or(root);
    let context = Context { repo, place: Place { root, state, facts: None }, terminal };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Blame::Stead, Exit::Internal, &error));
    let ran = runtime.and_then(|runtime| runtime.block_on(dispatch(cli.command, &context)));
    ran.unwrap_or_else(|failure| {
        context.terminal.failure(None, &failure);
        failure.exit.code()
    })
}

async fn dispatch(command: Command, context: &Context) -> Result<u8, Failure> {
    let exit = match command {
        Command::Init(init) => init.run(context),
        Command::Build(build) => build.run(context).await,
        Command::Policy(policy) => policy.run(context).await,
        Command::Facts(facts) => facts.run(context).await,
        Command::Plan(plan) => plan.run(context).await,
        Command::Apply(apply) => apply.run(context).await,
        Command::Status(status) => status.run(context).await,
        Command::Drift(drift) => drift.run(context).await,
        Command::Log(log) => log.run(context).await,
        Command::Replay(replay) => replay.run(context).await,
        Command::Rollback(rollback) => rollback.run(context).await,
        Command::Recover(recover) => recover.run(context).await,
        Command::Confirm(confirm) => confirm.run(context).await,
        Command::App(app) => return app.run(context).await,
        Command::Backup(backup) => backup.run(context).await,
        Command::Restore(restore) => restore.run(context).await,
        Command::Firewall(firewall) => firewall.run(context).await,
        Command::Follow(follow) => follow.run(context).await,
        Command::Job(job) => job.run(context).await,
        Command::Serve(serve) => serve.run(context).await,
        Command::Secret(secret) => secret.run(context),
        Command::Token(token) => token.run(context),
        Command::Vm(vm) => vm.run(context).await,
        Command::Vpn(vpn) => vpn.run(context).await,
        Command::Completions(completions) => Ok(completions.run(context)),
        Command::Man(man) => man.run(),
        Command::Wit(wit) => wit.run(context).await,
        Command::Targets => {
            context.terminal.print(&format!("{TARGETS}\n"));
            Ok(Exit::Done)
        }
        Command::ExitCodes => {
            context.terminal.print(&exit::table());
            Ok(Exit::Done)
        }
        Command::Agent(agent) => agent.run(context).await,
        Command::Guard(guard) => guard.run(context).await,
        Command::Settle(settle) => settle.run(context),
    };
    exit.map(Exit::code)
}

#[cfg(test)]
mod tests;
