//! The one binary of the project.

mod bench;
mod check;
mod config;
mod decode;
mod demo;
mod encode;
mod host;
mod kit;
mod log;
mod output;
mod pos;
mod process;
mod provision;
mod serve;
mod signals;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(version, about = "A prepaid card system and its switch for point-of-sale terminals")]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Pos(Box<pos::Pos>),
    Decode(decode::Decode),
    Encode(encode::Encode),
    Check(check::Check),
    Provision(provision::Provision),
    Bench(bench::Bench),
    /// Check or show how a node is set up.
    Config(config::ConfigCommand),
    /// Print the test terminals and cards of a demonstration.
    Kit(kit::Kit),
}

fn main() -> ExitCode {
    run(Command::parse()).unwrap_or_else(|error| {
        output::complain(&error);
        ExitCode::FAILURE
    })
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(demo) => demo.run(),
        Command::Serve(serve) => serve.run().map(|()| ExitCode::SUCCESS),
        Command::Pos(pos) => pos.run(),
        Command::Decode(decode) => decode.run(),
        Command::Encode(encode) => encode.run(),
        Command::Check(check) => check.run(),
        Command::Provision(provision) => provision.run().map(|()| ExitCode::SUCCESS),
        Command::Bench(bench) => bench.run(),
        Command::Config(config) => config.run(),
        Command::Kit(kit) => kit.run().map(|()| ExitCode::SUCCESS),
    }
}
