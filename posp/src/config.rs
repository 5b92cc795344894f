//! `posp config`: what a configuration file says, and whether it can be used.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use switch::config::{Config, ConfigError, Profile, Resolved, Shown};
use switch::node::keeper;
use switch::programme::Programme;

use crate::output::print;

/// Checks or shows how a node is set up.
#[derive(Args, Debug)]
pub(crate) struct ConfigCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Check a file, the environment over it, and the keys and the card programme it names.
    ///
    /// What is wrong is listed as FILE:LINE:COLUMN: all of the file's, then all of the keys' and
    /// the programme's. Exits with 1 if there is anything.
    Check {
        /// The configuration file.
        file: PathBuf,
    },
    /// Print every key with its value; where keys are found is not shown.
    Show {
        /// The configuration file; without one, the defaults and the environment.
        file: Option<PathBuf>,
        /// Say where each value comes from.
        #[arg(long)]
        origin: bool,
    },
}

impl ConfigCommand {
    /// Checks or shows.
    ///
    /// # Errors
    /// Output that cannot be written. A configuration that cannot be used is no error here: it is
    /// listed, and the exit code is 1.
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let read = match &self.action {
            Action::Check { file } => Resolved::read(Some(file), std::env::vars_os()),
            Action::Show { file, .. } => Resolved::read(file.as_deref(), std::env::vars_os()),
        };
        let text = match (&self.action, read) {
            (_, Err(error)) => return complain(&error),
            (Action::Check { file }, Ok(resolved)) => {
                let key = check_key(&resolved);
                let checked = check_programme(&resolved.config);
                match (key, checked) {
                    (None, Ok(notes)) => format!("{notes}{}: sound\n", file.display()),
                    (key, checked) => {
                        let faults = [key, checked.err().map(|error| error.to_string())];
                        let faults: Vec<String> = faults.into_iter().flatten().collect();
                        return complain(&faults.join("\n"));
                    }
                }
            }
            (Action::Show { origin: true, .. }, Ok(resolved)) => with_origins(&resolved),
            (Action::Show { origin: false, .. }, Ok(resolved)) => resolved.config.to_toml(),
        };
        print(text)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn complain(error: &dyn Display) -> anyhow::Result<ExitCode> {
    writeln!(io::stderr().lock(), "{error}")?;
    Ok(ExitCode::FAILURE)
}

/// Says what is wrong with the local master key, and where it was asked for.
fn check_key(resolved: &Resolved) -> Option<String> {
    let error = keeper(&resolved.config).err()?;
    let row = resolved.rows().find(|row| (row.section, row.name) == ("keys", "lmk"));
    let origin = row.map_or_else(String::new, |row| format!("{}: ", row.origin));
    Some(format!("{origin}{error}"))
}

/// Reads the programme a node would serve; returns what a person may want to look over, line by
/// line.
fn check_programme(config: &Config) -> Result<String, ConfigError> {
    let Some(directory) = &config.programme.directory else { return Ok(String::new()) };
    let programme = Programme::load(directory)?;
    if config.node.profile == Profile::Production {
        programme.check_production()?;
    }
    let place = |row: usize| programme.bins.get(row.wrapping_sub(1));
    let nested = programme.routes.nested().iter();
    let pairs = nested.filter_map(|nested| place(nested.inner).zip(place(nested.outer)));
    Ok(pairs.map(|(inner, outer)| format!("note: range {inner} lies inside {outer}\n")).collect())
}

fn with_origins(resolved: &Resolved) -> String {
    let line = |row: Shown| {
        let key = format!("{}.{}", row.section, row.name);
        format!("{key:<34} {:<22} {}\n", row.value, row.origin)
    };
    resolved.rows().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn origins_are_listed_key_by_key() {
        let environment = [("POSP__KEYS__LMK".into(), "env:POSP_LMK".into())];
        let resolved = Resolved::read(None, environment).unwrap();
        let out = with_origins(&resolved);
        let line = |key: &str| out.lines().find(|line| line.starts_with(key)).unwrap();
        assert!(line("keys.lmk ").ends_with("POSP__KEYS__LMK"), "{out}");
        assert!(line("keys.lmk ").contains("\"env:***\""), "{out}");
        assert!(line("pos.listen ").ends_with("\"127.0.0.1:8583\"       default"), "{out}");
    }

    #[test]
    fn the_programme_is_checked_with_the_file_that_names_it() {
        let mut config = Config::default();
        assert!(check_programme(&config).unwrap().is_empty());

        let directory = tempfile::tempdir().unwrap();
        let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/demo");
        for file in switch::programme::FILES {
            let mut text = fs::read_to_string(format!("{demo}/{file}")).unwrap();
            if file == "routing.toml" {
                text.push_str("[[bin]]\nprefix = \"62\"\npan_length = 19\nissuer = \"04010000\"\n");
            }
            fs::write(directory.path().join(file), text).unwrap();
        }
        config.programme.directory = Some(directory.path().into());
        assert_eq!(
            check_programme(&config).unwrap(),
            "note: range 621214 (19 digits) lies inside 62 (19 digits)\n"
        );
        config.node.profile = Profile::Production;
        let said = check_programme(&config).unwrap_err().to_string();
        assert!(said.contains("a tmk in clear"), "{said}");
    }
}
