//! A chart as SVG: a frame with a grid, and what is drawn into it.

use std::fmt::Write;

use super::escape;

/// Width of all charts, in units of the drawing.
pub(super) const WIDTH: f64 = 1_000.0;
/// Room for labels: left, right, top, bottom.
const LEFT: f64 = 90.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 28.0;
/// Lines of the grid, at most about so many.
const LINES: f64 = 5.0;

/// A chart that is being drawn. Values outside of its ranges are drawn at its edge.
pub(super) struct Plot {
    id: String,
    title: String,
    height: f64,
    x: (f64, f64),
    y: (f64, f64),
    body: String,
}

impl Plot {
    /// An empty frame over these ranges; one without extent is widened.
    pub(super) fn new(id: &str, title: &str, height: f64, x: (f64, f64), y: (f64, f64)) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            height,
            x: widened(x),
            y: widened(y),
            body: String::new(),
        }
    }

    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let share =
            |value: f64, (from, to): (f64, f64)| ((value - from) / (to - from)).clamp(0.0, 1.0);
        let across = LEFT + share(x, self.x) * (WIDTH - LEFT - RIGHT);
        let down = self.height - BOTTOM - share(y, self.y) * (self.height - TOP - BOTTOM);
        (across, down)
    }

    /// Level lines with their values.
    pub(super) fn levels(&mut self) {
        let (from, to) = self.y;
        let step = nice((to - from) / LINES);
        let places = usize::try_from((-step.log10().floor()).max(0.0) as u64).unwrap_or(0).min(8);
        let mut level = (from / step).ceil() * step;
        while level <= to {
            let ((left, y), (right, _)) = (self.at(self.x.0, level), self.at(self.x.1, level));
            let value = if level == 0.0 { 0.0 } else { level };
            let _ = writeln!(
                self.body,
                "<line class=\"grid\" x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"end\" x=\"{:.1}\" y=\"{:.1}\">{value:.places$}</text>",
                left - 6.0,
                y + 4.0
            );
            level += step;
        }
    }

    /// A label below the frame.
    pub(super) fn below(&mut self, x: f64, anchor: &str, text: &str) {
        let (across, _) = self.at(x, self.y.0);
        let _ = writeln!(
            self.body,
            "<text class=\"{anchor}\" x=\"{across:.1}\" y=\"{:.1}\">{}</text>",
            self.height - 8.0,
            escape(text)
        );
    }

    /// A line through points.
    pub(super) fn line(&mut self, class: &str, points: impl Iterator<Item = (f64, f64)>) {
        let mut path = String::new();
        for (x, y) in points {
            let (x, y) = self.at(x, y);
            let _ = write!(path, "{x:.1},{y:.1} ");
        }
        let _ = writeln!(self.body, "<polyline class=\"{class}\" points=\"{}\"/>", path.trim_end());
    }

    /// The area between two values over each point.
    pub(super) fn area(&mut self, class: &str, spans: &[(f64, f64, f64)]) {
        let upper = spans.iter().map(|(x, _, high)| (*x, *high));
        let lower = spans.iter().rev().map(|(x, low, _)| (*x, *low));
        let mut path = String::new();
        for (x, y) in upper.chain(lower) {
            let (x, y) = self.at(x, y);
            let _ = write!(path, "{x:.1},{y:.1} ");
        }
        let _ = writeln!(self.body, "<polygon class=\"{class}\" points=\"{}\"/>", path.trim_end());
    }

    /// A dot with a text that shows under the pointer.
    pub(super) fn dot(&mut self, class: &str, (x, y): (f64, f64), text: &str) {
        let (x, y) = self.at(x, y);
        let _ = writeln!(
            self.body,
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"><title>{}</title></circle>",
            escape(text)
        );
    }

    /// A triangle that points up or down at a point.
    pub(super) fn arrow(&mut self, class: &str, (x, y): (f64, f64), up: bool, text: &str) {
        let (x, y) = self.at(x, y);
        let foot = if up { y + 9.0 } else { y - 9.0 };
        let _ = writeln!(
            self.body,
            "<polygon class=\"{class}\" points=\"{x:.1},{y:.1} {:.1},{foot:.1} {:.1},{foot:.1}\">\
             <title>{}</title></polygon>",
            x - 5.0,
            x + 5.0,
            escape(text)
        );
    }

    /// The drawing.
    pub(super) fn finish(self) -> String {
        let Self { id, title, height, body, .. } = self;
        let (across, down) = (WIDTH - LEFT - RIGHT, height - TOP - BOTTOM);
        format!(
            "<svg id=\"{}\" role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {WIDTH} {height}\">\n\
             <title>{title}</title>\n\
             <rect class=\"frame\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{across}\" height=\"{down}\"/>\n{body}</svg>\n",
            escape(&id),
            title = escape(&title)
        )
    }
}

/// A range with room for what is drawn in it.
fn widened((from, to): (f64, f64)) -> (f64, f64) {
    if to > from {
        (from, to)
    } else {
        let by = (from.abs() * 1e-3).max(1e-3);
        (from - by, from + by)
    }
}

/// The next larger one of 1, 2 and 5 times a power of ten.
fn nice(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let lead = step / power;
    power
        * if lead <= 1.0 {
            1.0
        } else if lead <= 2.0 {
            2.0
        } else if lead <= 5.0 {
            5.0
        } else {
            10.0
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_round_numbers() {
        for (step, expected) in
            [(0.7, 1.0), (1.0, 1.0), (1.3, 2.0), (3.0, 5.0), (7.0, 10.0), (0.03, 0.05)]
        {
            assert!((nice(step) - expected).abs() < 1e-12, "{step}");
        }
        let mut plot = Plot::new("a", "<b>", 200.0, (0.0, 1.0), (-1.0, 1.0));
        plot.levels();
        let drawn = plot.finish();
        assert_eq!(drawn.matches("class=\"grid\"").count(), 5, "{drawn}");
        assert!(
            drawn.contains(">-0.5<") && drawn.contains("&lt;b&gt;") && !drawn.contains(">-0.0<"),
            "{drawn}"
        );
    }

    #[test]
    fn everything_is_drawn_within_the_frame() {
        let mut plot = Plot::new("a", "b", 200.0, (3.0, 3.0), (5.0, 5.0));
        plot.line("l", [(-1e9, -1e9), (1e9, 1e9), (3.0, 5.0)].into_iter());
        let drawn = plot.finish();
        assert!(drawn.contains("points=\"90.0,172.0 984.0,12.0 537.0,92.0\""), "{drawn}");
    }
}
