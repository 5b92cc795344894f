//! The one binary of the project.

mod config;
mod kit;
mod log;
mod output;
mod process;
mod serve;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(version, about = "A prepaid card system and its switch for point-of-sale terminals")]
enum Command {
    /// Check or show how a node is set up.
    Config(config::ConfigCommand),
    /// Print the test terminals and cards of a demonstration.
    Kit(kit::Kit),
    Serve(serve::Serve),
}

fn main() -> ExitCode {
    run(Command::parse()).unwrap_or_else(|error| {
        output::complain(&error);
        ExitCode::FAILURE
    })
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Config(config) => config.run(),
        Command::Kit(kit) => kit.run().map(|()| ExitCode::SUCCESS),
        Command::Serve(serve) => serve.run().map(|()| ExitCode::SUCCESS),
    }
}
