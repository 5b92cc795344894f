//! The one binary of the project.

mod kit;

use clap::Parser;

#[derive(Parser)]
#[command(version, about = "A prepaid card system and its switch for point-of-sale terminals")]
enum Command {
    /// Print the test terminals and cards of a demonstration.
    Kit(kit::Kit),
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Kit(kit) => kit.run(),
    }
}
