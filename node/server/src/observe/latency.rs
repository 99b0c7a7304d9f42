//! Samples of what took long, by kind of event, and what there is to say about them.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

/// So many samples of an event are kept.
const SAMPLES_MAX: usize = 160;
/// So many samples are drawn.
const GRAPH_COLUMNS: usize = 80;
/// Rows of a graph.
const GRAPH_ROWS: usize = 4;
/// The marks within a row, from low to high; what is beneath a mark is filled.
const MARKS: [char; 3] = ['_', 'o', '#'];

/// The longest time that an event took within a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The second, since the Unix epoch.
    pub at_s: u64,
    /// How long it took, in milliseconds.
    pub millis: u32,
}

/// The samples of one event, the oldest first; never empty.
#[derive(Clone, Debug, Default)]
pub struct Series {
    samples: VecDeque<Sample>,
    /// The longest ever, in milliseconds.
    pub millis_max: u32,
}

impl Series {
    fn add(&mut self, millis: u32, at_s: u64) {
        self.millis_max = self.millis_max.max(millis);
        match self.samples.back_mut() {
            Some(last) if last.at_s == at_s => last.millis = last.millis.max(millis),
            _ => self.samples.push_back(Sample { at_s, millis }),
        }
        if self.samples.len() > SAMPLES_MAX {
            self.samples.pop_front();
        }
    }

    /// The samples, the oldest first.
    pub fn samples(&self) -> impl ExactSizeIterator<Item = Sample> + Clone {
        self.samples.iter().copied()
    }

    /// The newest.
    pub fn last(&self) -> Sample {
        *self.samples.back().expect("a series begins with a sample")
    }

    /// The graph that `LATENCY GRAPH` shows, seen at a second since the Unix epoch.
    pub fn graph(&self, event: &str, now_s: u64) -> String {
        let skipped = self.samples.len().saturating_sub(GRAPH_COLUMNS);
        let shown: Vec<Sample> = self.samples().skip(skipped).collect();
        let all = || self.samples().map(|sample| sample.millis);
        let (low, high) = (all().min().unwrap_or(0), all().max().unwrap_or(0));
        let mut text = format!(
            "{event} - high {high} ms, low {low} ms (all time high {} ms)\n{}\n",
            self.millis_max,
            "-".repeat(GRAPH_COLUMNS)
        );
        for row in columns_as_rows(&shown, now_s) {
            text.push_str(&row);
            text.push('\n');
        }
        text
    }

    /// What `LATENCY DOCTOR` says about the series.
    pub fn summary(&self, event: &str) -> String {
        let count = self.samples.len() as u64;
        let sum: u64 = self.samples().map(|sample| u64::from(sample.millis)).sum();
        let average = sum / count;
        let deviations = self.samples().map(|sample| u64::from(sample.millis).abs_diff(average));
        let deviation = deviations.sum::<u64>() / count;
        let first = self.samples.front().map_or(0, |sample| sample.at_s);
        let span = self.last().at_s.saturating_sub(first).max(1);
        let period = span as f64 / count as f64;
        format!(
            "{event}: {count} latency spikes (average {average}ms, mean deviation {deviation}ms, \
             period {period:.2} sec). Worst all time event {}ms.",
            self.millis_max
        )
    }
}

/// The rows of a graph: marks, an empty row, and the ages of the samples from top to bottom.
fn columns_as_rows(samples: &[Sample], now_s: u64) -> Vec<String> {
    let low = samples.iter().map(|sample| sample.millis).min().unwrap_or(0);
    let high = samples.iter().map(|sample| sample.millis).max().unwrap_or(0);
    let steps = GRAPH_ROWS * MARKS.len();
    let columns: Vec<(usize, Vec<char>)> = samples
        .iter()
        .map(|sample| {
            let share = f64::from(sample.millis - low) / f64::from((high - low).max(1));
            let step = ((share * steps as f64) as usize).min(steps - 1);
            (step, age(now_s.saturating_sub(sample.at_s)).chars().collect())
        })
        .collect();
    let labels = columns.iter().map(|(_, label)| label.len()).max().unwrap_or(0);
    let mut rows: Vec<String> = (0..GRAPH_ROWS)
        .rev()
        .map(|row| columns.iter().map(|(step, _)| mark(*step, row * MARKS.len())).collect())
        .collect();
    rows.push(" ".repeat(columns.len()));
    for line in 0..labels {
        rows.push(
            columns.iter().map(|(_, label)| label.get(line).copied().unwrap_or(' ')).collect(),
        );
    }
    rows
}

/// What a column shows in the row that begins at a step.
fn mark(step: usize, row: usize) -> char {
    match step.checked_sub(row) {
        None => ' ',
        Some(within) => MARKS.get(within).copied().unwrap_or('|'),
    }
}

fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86400),
    }
}

/// Samples by event.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    events: BTreeMap<&'static str, Series>,
}

impl Latency {
    /// Notes that an event took so many milliseconds.
    pub fn add(&mut self, event: &'static str, millis: u32, at_s: u64) {
        self.events.entry(event).or_default().add(millis, at_s);
    }

    /// The events that have samples, by name.
    pub fn events(&self) -> impl ExactSizeIterator<Item = (&'static str, &Series)> {
        self.events.iter().map(|(name, series)| (*name, series))
    }

    /// The samples of an event.
    pub fn get(&self, event: &[u8]) -> Option<(&'static str, &Series)> {
        self.events().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(event))
    }

    /// Forgets an event; true if there was one.
    pub fn remove(&mut self, event: &[u8]) -> bool {
        let found = self.get(event).map(|(name, _)| name);
        found.is_some_and(|name| self.events.remove(name).is_some())
    }

    /// Forgets everything; returns how many events there were.
    pub fn clear(&mut self) -> usize {
        std::mem::take(&mut self.events).len()
    }

    /// What `LATENCY DOCTOR` answers.
    pub fn report(&self, threshold_ms: u64) -> String {
        if threshold_ms == 0 {
            return "Latency is not being watched. Set a threshold with \
                    \"CONFIG SET latency-monitor-threshold <milliseconds>\", wait for spikes, and \
                    ask again.\n"
                .to_owned();
        }
        if self.events.is_empty() {
            return format!("No event has taken {threshold_ms} ms or longer.\n");
        }
        let mut text = format!("Events that took {threshold_ms} ms or longer:\n\n");
        for (number, (event, series)) in self.events().enumerate() {
            let _ = writeln!(text, "{}. {}", number + 1, series.summary(event));
        }
        text.push_str("\nWhat can be done:\n\n");
        text.push_str(
            "- SLOWLOG GET names the commands that were slow. Look for those that walk whole \
             collections or the whole keyspace.\n\
             - If cheap commands are slow too, something else has the processor or the disk: see \
             the machine's load, and compare appendfsync.\n",
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_one_sample_the_longest() {
        let mut latency = Latency::default();
        for (millis, at_s) in [(5, 100), (9, 100), (7, 100), (3, 101)] {
            latency.add("command", millis, at_s);
        }
        let (_, series) = latency.get(b"COMMAND").unwrap();
        let samples: Vec<_> = series.samples().map(|s| (s.at_s, s.millis)).collect();
        assert_eq!(samples, [(100, 9), (101, 3)]);
        assert_eq!((series.last().millis, series.millis_max), (3, 9));
    }

    #[test]
    fn old_samples_make_room() {
        let mut latency = Latency::default();
        (0..200).for_each(|at_s| latency.add("command", 200 - at_s as u32, at_s));
        let (_, series) = latency.get(b"command").unwrap();
        assert_eq!(series.samples().len(), SAMPLES_MAX);
        assert_eq!(series.samples().next().unwrap().at_s, 40);
        assert_eq!(series.millis_max, 200);
    }

    #[test]
    fn a_single_sample_is_drawn_as_redis_draws_it() {
        let mut latency = Latency::default();
        latency.add("command", 1905, 1000);
        let graph = latency.get(b"command").unwrap().1.graph("command", 1000);
        let dashes = "-".repeat(80);
        let head = "command - high 1905 ms, low 1905 ms (all time high 1905 ms)";
        assert_eq!(graph, format!("{head}\n{dashes}\n \n \n \n_\n \n0\ns\n"));
    }

    #[test]
    fn higher_samples_are_drawn_higher() {
        let mut latency = Latency::default();
        for (millis, at_s) in [(0, 0), (60, 3000), (120, 3590)] {
            latency.add("command", millis, at_s);
        }
        let graph = latency.get(b"command").unwrap().1.graph("command", 3600);
        let rows: Vec<_> = graph.lines().skip(2).collect();
        assert_eq!(rows, ["  #", " _|", " ||", "_||", "   ", "111", "h00", " ms"]);
    }

    #[test]
    fn a_summary_has_the_figures_of_redis() {
        let mut latency = Latency::default();
        for (millis, at_s) in [(10, 100), (20, 103), (30, 106)] {
            latency.add("fast-command", millis, at_s);
        }
        assert_eq!(
            latency.get(b"fast-command").unwrap().1.summary("fast-command"),
            "fast-command: 3 latency spikes (average 20ms, mean deviation 6ms, period 2.00 sec). \
             Worst all time event 30ms."
        );
    }
}
