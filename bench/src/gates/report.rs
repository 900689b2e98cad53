//! Comparisons, judged by their gates, and how they are printed.

use std::io::{self, Write};

use serde::Serialize;

use super::table::{Better, Gate};
use crate::measure::Comparison;

/// One row of the table.
#[derive(Debug, Serialize)]
pub struct Row {
    /// What is done.
    pub work: &'static str,
    /// What it is done on.
    pub input: &'static str,
    /// What the times are of.
    pub unit: &'static str,
    /// What is measured: `ns` or `kB`.
    pub measured_in: &'static str,
    /// Our side.
    pub ours: f64,
    /// What it is compared with.
    pub peer: &'static str,
    /// The peer's side.
    pub theirs: f64,
    /// Median of the rounds' ratios.
    pub ratio: f64,
    /// Lowest ratio of a round.
    pub ratio_least: f64,
    /// Highest ratio of a round.
    pub ratio_most: f64,
    /// `higher`: the ratio is theirs by ours; `lower`: ours by theirs.
    pub better: &'static str,
    /// Where we want to be.
    pub goal: Option<f64>,
    /// What a build may not miss.
    pub gate: f64,
    /// Whether the goal was met.
    pub goal_met: Option<bool>,
    /// The gate that was agreed on, where the one that is held is wider.
    pub agreed: Option<f64>,
    /// Whether that was met.
    pub agreed_met: Option<bool>,
    /// Whether the gate held.
    pub verdict: Verdict,
}

/// Whether a gate held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It did.
    Pass,
    /// The first measurement missed it, the second did not.
    PassOnSecondTry,
    /// It did not.
    Fail,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::PassOnSecondTry => "pass (2nd try)",
            Self::Fail => "FAIL",
        }
    }
}

/// What a comparison is of.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// What it is done on.
    pub input: &'static str,
    /// What the times are of.
    pub unit: &'static str,
    /// What is measured: `ns` or `kB`.
    pub measured_in: &'static str,
}

/// The report as `--json` prints it.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// True when every gate held.
    pub passed: bool,
    /// What a reader has to know about the inputs, skipped rows first of all.
    pub notes: Vec<String>,
    /// The table.
    pub rows: Vec<Row>,
    /// Comparisons that this build has not.
    pub not_built: Vec<String>,
}

/// The ratio of a comparison the way its gate is asked for, with its least and most.
fn ratios(found: &Comparison, better: Better) -> [f64; 3] {
    match better {
        Better::Higher => [found.ratio, found.least, found.most],
        Better::Lower => [1.0 / found.ratio, 1.0 / found.most, 1.0 / found.least],
    }
}

fn holds(gate: &Gate, found: &Comparison) -> bool {
    gate.better.holds(ratios(found, gate.better)[0], gate.gate)
}

/// Measures, and once more when a gate is missed, because the machine may have been busy.
fn judge<const N: usize>(
    gates: [&Gate; N],
    mut measure: impl FnMut() -> [Comparison; N],
) -> [(Comparison, Verdict); N] {
    let first = measure();
    let missed = |at: usize| !holds(gates[at], &first[at]);
    if !(0..N).any(missed) {
        return first.map(|found| (found, Verdict::Pass));
    }
    let second = measure();
    std::array::from_fn(|at| match (missed(at), holds(gates[at], &second[at])) {
        (false, _) => (first[at], Verdict::Pass),
        (true, true) => (second[at], Verdict::PassOnSecondTry),
        (true, false) => (second[at], Verdict::Fail),
    })
}

impl Report {
    /// Makes comparisons that are measured at once, and adds a row of each.
    pub fn add<const N: usize>(
        &mut self,
        key: Key,
        gates: [&'static Gate; N],
        measure: impl FnMut() -> [Comparison; N],
    ) {
        let judged = judge(gates, measure);
        for (gate, (found, verdict)) in gates.into_iter().zip(judged) {
            let [ratio, ratio_least, ratio_most] = ratios(&found, gate.better);
            self.rows.push(Row {
                work: gate.work,
                input: key.input,
                unit: key.unit,
                measured_in: key.measured_in,
                ours: found.ours_ns,
                peer: gate.peer,
                theirs: found.peer_ns,
                ratio,
                ratio_least,
                ratio_most,
                better: gate.better.name(),
                goal: gate.goal,
                gate: gate.gate,
                goal_met: gate.goal.map(|goal| gate.better.holds(ratio, goal)),
                agreed: gate.agreed,
                agreed_met: gate.agreed.map(|agreed| gate.better.holds(ratio, agreed)),
                verdict,
            });
        }
    }

    /// Says loudly that something is not measured.
    pub fn skip(&mut self, what: &str, why: &str) {
        self.notes.push(format!("!!!! SKIPPED: {what}: {why} !!!!"));
    }

    /// Says whether all gates held; to be asked last.
    pub fn finish(&mut self) {
        self.passed = self.rows.iter().all(|row| row.verdict != Verdict::Fail);
    }

    /// One JSON document.
    ///
    /// # Errors
    /// The output takes nothing.
    pub fn print_json(&self, out: &mut impl Write) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        writeln!(out, "{text}")
    }

    /// The table, for people and for Markdown.
    ///
    /// # Errors
    /// The output takes nothing.
    pub fn print_table(&self, out: &mut impl Write) -> io::Result<()> {
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        writeln!(
            out,
            "\n| work | input | ours | peer | theirs | ratio (least..most) | better | goal | gate \
             | verdict |\n|---|---|--:|---|--:|--:|---|--:|--:|---|"
        )?;
        for row in &self.rows {
            row.print(out)?;
        }
        for row in &self.not_built {
            writeln!(out, "{row}")?;
        }
        let missed = self.rows.iter().filter(|row| row.goal_met == Some(false)).count();
        let behind = self.rows.iter().filter(|row| row.agreed_met == Some(false)).count();
        writeln!(
            out,
            "\nratio: median of the rounds; where higher is better theirs by ours, where lower is \
             better ours by\ntheirs. Goals are a report: {missed} rows miss theirs. Of gates that are wider \
             than what was agreed on,\n{behind} rows would miss that. Gates {}.",
            if self.passed { "hold" } else { "do NOT hold" },
        )
    }
}

impl Row {
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let goal = self.goal.map_or_else(|| "-".to_owned(), |goal| goal.to_string());
        let gate = match (self.agreed, self.agreed_met) {
            (Some(agreed), Some(true)) => format!("{}, agreed {agreed}: met", self.gate),
            (Some(agreed), _) => format!("{}, agreed {agreed}: MISSED", self.gate),
            (None, _) => self.gate.to_string(),
        };
        writeln!(
            out,
            "| {} / {} | {} | {:.1} {} | {} | {:.1} | {:.2} ({:.2}..{:.2}) | {} | {goal} | {} | {} |",
            self.work,
            self.unit,
            self.input,
            self.ours,
            self.measured_in,
            self.peer,
            self.theirs,
            self.ratio,
            self.ratio_least,
            self.ratio_most,
            self.better,
            gate,
            self.verdict.name(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FASTER: Gate = Gate {
        work: "a",
        peer: "b",
        better: Better::Higher,
        goal: Some(4.0),
        gate: 2.0,
        agreed: None,
    };
    const COST: Gate = Gate {
        work: "c",
        peer: "d",
        better: Better::Lower,
        goal: Some(2.0),
        gate: 4.0,
        agreed: Some(3.0),
    };

    fn found(ratio: f64) -> Comparison {
        Comparison { ours_ns: 1.0, peer_ns: ratio, ratio, least: ratio, most: 2.0 * ratio }
    }

    /// Verdicts, and the measurements that were not needed.
    fn judged(gate: &Gate, ratios: &[f64]) -> (u64, Verdict, usize) {
        let mut left = ratios.iter();
        let [(found, verdict)] =
            judge([gate], || [found(*left.next().expect("no more measurements than expected"))]);
        (found.ratio.to_bits(), verdict, left.count())
    }

    #[test]
    fn a_missed_gate_is_measured_once_more() {
        assert_eq!(judged(&FASTER, &[2.0, 1.0]), (2.0_f64.to_bits(), Verdict::Pass, 1));
        let second = Verdict::PassOnSecondTry;
        assert_eq!(judged(&FASTER, &[1.9, 2.1]), (2.1_f64.to_bits(), second, 0));
        assert_eq!(judged(&FASTER, &[1.9, 1.8]), (1.8_f64.to_bits(), Verdict::Fail, 0));
    }

    #[test]
    fn where_less_is_better_the_ratio_is_turned_over() {
        // Four times the peer's time holds, five times does not.
        assert_eq!(judged(&COST, &[0.25]).1, Verdict::Pass);
        assert_eq!(judged(&COST, &[0.2, 0.2]).1, Verdict::Fail);
        // Powers of two are exact.
        let bits = |ratios: [f64; 3]| ratios.map(f64::to_bits);
        assert_eq!(bits(ratios(&found(0.25), Better::Lower)), bits([4.0, 2.0, 4.0]));
        assert_eq!(bits(ratios(&found(0.25), Better::Higher)), bits([0.25, 0.25, 0.5]));
    }

    #[test]
    fn of_two_only_the_one_that_missed_takes_its_second_try() {
        let mut tries = [[3.0, 0.2], [1.0, 0.5]].into_iter();
        let mut next = || tries.next().expect("two tries").map(found);
        let [(one, pass), (other, again)] = judge([&FASTER, &COST], &mut next);
        assert_eq!((one.ratio.to_bits(), pass), (3.0_f64.to_bits(), Verdict::Pass));
        assert_eq!((other.ratio.to_bits(), again), (0.5_f64.to_bits(), Verdict::PassOnSecondTry));
    }

    #[test]
    fn a_failed_row_fails_the_report_and_a_missed_goal_does_not() {
        let key = Key { input: "made up", unit: "frame", measured_in: "ns" };
        let mut report = Report::default();
        static GATE: Gate = FASTER;
        report.add(key, [&GATE], || [found(3.0)]);
        report.finish();
        assert_eq!((report.passed, report.rows[0].goal_met), (true, Some(false)));
        let mut table = Vec::new();
        report.print_table(&mut table).unwrap();
        let table = String::from_utf8(table).unwrap();
        let row = "| a / frame | made up | 1.0 ns | b | 3.0 | 3.00 (3.00..6.00) | higher | 4 | 2 | pass |";
        assert!(table.contains(row), "{table}");
        assert!(table.contains("1 rows miss theirs."), "{table}");
        assert!(table.contains("\n0 rows would miss that. Gates hold."), "{table}");
        // Agreed was three times the other's cost, held are four.
        static WIDER: Gate = COST;
        report.add(key, [&WIDER], || [found(0.3)]);
        report.finish();
        assert_eq!((report.passed, report.rows[1].agreed_met), (true, Some(false)));
        let mut table = Vec::new();
        report.print_table(&mut table).unwrap();
        let table = String::from_utf8(table).unwrap();
        assert!(table.contains("| 4, agreed 3: MISSED | pass |"), "{table}");
        assert!(table.contains("\n1 rows would miss that. Gates hold."), "{table}");
        report.add(key, [&GATE], || [found(1.0)]);
        report.finish();
        assert!(!report.passed);
    }
}
