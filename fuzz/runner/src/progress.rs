//! What a target says of itself.

use std::collections::VecDeque;
use std::fmt;

/// How far a target is.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    executions: u64,
    per_second: u64,
    coverage: u64,
    features: u64,
    inputs: u64,
    /// True once it has ended and found nothing.
    pub(crate) is_clean: bool,
    said: VecDeque<String>,
}

impl Progress {
    /// Takes in a line, and keeps the last `most` for whoever wants to read them.
    pub(crate) fn take(&mut self, line: String, most: usize) {
        let mut words = line.split_whitespace();
        if let Some(count) = words.next().and_then(|word| word.strip_prefix('#')) {
            self.executions = count.parse().unwrap_or(self.executions);
            let mut name = "";
            for word in words {
                let number = word.split('/').next().and_then(|number| number.parse().ok());
                match (name, number) {
                    ("cov:", Some(number)) => self.coverage = number,
                    ("ft:", Some(number)) => self.features = number,
                    ("corp:", Some(number)) => self.inputs = number,
                    ("exec/s:", Some(number)) => self.per_second = number,
                    _ => {}
                }
                name = word;
            }
            return;
        }
        if let Some(("stat::number_of_executed_units:", number)) = line.split_once(' ') {
            self.executions = number.trim().parse().unwrap_or(self.executions);
        }
        if let Some(("stat::average_exec_per_sec:", number)) = line.split_once(' ') {
            self.per_second = number.trim().parse().unwrap_or(self.per_second);
        }
        if self.said.len() >= most {
            self.said.pop_front();
        }
        self.said.push_back(line);
    }

    /// Returns the last lines, those about its progress left out.
    pub(crate) fn tail(&self) -> impl Iterator<Item = &str> {
        self.said.iter().map(String::as_str)
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { executions, per_second, coverage, features, inputs, .. } = self;
        write!(
            f,
            "{executions} executions, {per_second} a second, cov {coverage}, ft {features}, \
             {inputs} inputs"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_target_says_is_understood() {
        let mut progress = Progress::default();
        for line in [
            "INFO: Running with entropic power schedule (0xFF, 100).",
            "#4096\tpulse  cov: 812 ft: 2210 corp: 60/7110b lim: 4096 exec/s: 2048 rss: 44Mb",
            "stat::number_of_executed_units: 5000",
            "stat::average_exec_per_sec:     2500",
        ] {
            progress.take(line.to_owned(), 2);
        }
        let said = "5000 executions, 2500 a second, cov 812, ft 2210, 60 inputs";
        assert_eq!(progress.to_string(), said);
        assert_eq!(progress.tail().count(), 2);
    }
}
