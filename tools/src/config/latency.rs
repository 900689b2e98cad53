//! `[latency]`: how long things take, by leg where the legs differ.

use fusewire_io::venue::paper::{self, Latencies, LatencyHistogram, QuantilePoint};
use serde::{Deserialize, Serialize};

use super::number::micros;

/// Quantiles and their spans in us. Shares of one are the only floats of the configuration: they are made
/// whole billionths before anything is computed.
pub type QuantilesUs = Vec<(f64, u32)>;

/// `[latency]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// To the exchange, in us.
    pub order_us: u32,
    /// Back, in us.
    pub response_us: u32,
    /// On top of either, in us.
    pub jitter_us: u32,
    /// Of an own refusal, in us.
    pub local_reject_us: u32,
    /// How long a request may still arrive, in ms.
    pub receive_window_ms: u32,
    /// A new order to the exchange, in us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_us: Option<u32>,
    /// An amend to the exchange, in us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amend_us: Option<u32>,
    /// A cancel to the exchange, in us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_us: Option<u32>,
    /// An answer that is no fill, in us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack_us: Option<u32>,
    /// A fill back from the exchange, in us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fill_us: Option<u32>,
    /// A new order, by its quantiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_histogram_us: Option<QuantilesUs>,
    /// An amend, by its quantiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amend_histogram_us: Option<QuantilesUs>,
    /// A cancel, by its quantiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_histogram_us: Option<QuantilesUs>,
    /// An answer that is no fill, by its quantiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack_histogram_us: Option<QuantilesUs>,
    /// A fill, by its quantiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fill_histogram_us: Option<QuantilesUs>,
    /// The journal whose orders tell the legs that are not given. The configuration of a run holds the
    /// numbers in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_journal: Option<String>,
}

/// Keys of `[latency]` that may be absent.
pub(super) const OPTIONAL_KEYS: [&str; 11] = [
    "new_us",
    "amend_us",
    "cancel_us",
    "ack_us",
    "fill_us",
    "new_histogram_us",
    "amend_histogram_us",
    "cancel_histogram_us",
    "ack_histogram_us",
    "fill_histogram_us",
    "from_journal",
];

/// One leg as it is configured.
struct Leg<'a> {
    name: &'static str,
    us: Option<u32>,
    quantiles: Option<&'a QuantilesUs>,
}

impl Latency {
    /// New, amend, cancel, ack, fill.
    fn legs(&self) -> [Leg<'_>; 5] {
        let leg = |name, us, quantiles| Leg { name, us, quantiles };
        [
            leg("new", self.new_us, self.new_histogram_us.as_ref()),
            leg("amend", self.amend_us, self.amend_histogram_us.as_ref()),
            leg("cancel", self.cancel_us, self.cancel_histogram_us.as_ref()),
            leg("ack", self.ack_us, self.ack_histogram_us.as_ref()),
            leg("fill", self.fill_us, self.fill_histogram_us.as_ref()),
        ]
    }

    /// Where quantiles of each leg belong that has nothing of its own: new, amend, cancel, ack, fill.
    pub(super) fn unset(&mut self) -> [Option<&mut Option<QuantilesUs>>; 5] {
        let Self { new_us, amend_us, cancel_us, ack_us, fill_us, .. } = self;
        let given = [new_us, amend_us, cancel_us, ack_us, fill_us].map(|us| us.is_some());
        let mut given = given.into_iter();
        [
            &mut self.new_histogram_us,
            &mut self.amend_histogram_us,
            &mut self.cancel_histogram_us,
            &mut self.ack_histogram_us,
            &mut self.fill_histogram_us,
        ]
        .map(|quantiles| {
            let given = given.next() == Some(true);
            (quantiles.is_none() && !given).then_some(quantiles)
        })
    }

    /// Latencies of the legs that have one of their own.
    ///
    /// # Errors
    /// A text that begins with the key.
    pub fn latencies(&self) -> Result<Latencies, String> {
        let mut found = [None; 5];
        for (place, leg) in found.iter_mut().zip(self.legs()) {
            *place = leg.latency()?;
        }
        let [new, amend, cancel, ack, fill] = found;
        Ok(Latencies { new, amend, cancel, ack, fill })
    }

    /// One line for reports.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = format!(
            "order {} us, response {} us, jitter below {} us",
            self.order_us, self.response_us, self.jitter_us
        );
        for leg in self.legs() {
            if let Some(us) = leg.us {
                text += &format!(", {} {us} us", leg.name);
            }
            if let Some((_, most)) = leg.quantiles.and_then(|points| points.last()) {
                text += &format!(", {} by quantiles up to {most} us", leg.name);
            }
        }
        text
    }
}

impl Leg<'_> {
    fn latency(&self) -> Result<Option<paper::Latency>, String> {
        let name = self.name;
        match (self.us, self.quantiles) {
            (Some(_), Some(_)) => Err(format!("{name}_us and {name}_histogram_us are both given")),
            (Some(us), None) => Ok(Some(paper::Latency::Constant(micros(us)))),
            (None, Some(quantiles)) => histogram(quantiles)
                .map(|histogram| Some(paper::Latency::Histogram(histogram)))
                .map_err(|what| format!("{name}_histogram_us: {what}")),
            (None, None) => Ok(None),
        }
    }
}

fn histogram(quantiles: &QuantilesUs) -> Result<LatencyHistogram, String> {
    let mut points = Vec::with_capacity(quantiles.len());
    for &(share, span_us) in quantiles {
        if !(0.0..=1.0).contains(&share) {
            return Err(format!("a quantile of {share} is not in 0 to 1"));
        }
        points.push(QuantilePoint { share_ppb: (share * 1e9).round() as u32, span_us });
    }
    LatencyHistogram::new(&points)
}

#[cfg(test)]
mod tests {
    use super::super::{Config, check};
    use super::*;

    fn given(lines: &str) -> Result<Config, Vec<String>> {
        check::overlay("f.toml", &format!("[latency]\n{lines}\n"))
    }

    #[test]
    fn legs_are_constant_or_a_histogram_and_survive_being_written_down() {
        let config = given(
            "new_histogram_us = [[0.5, 4000], [0.99, 9000], [1, 20000]]\ncancel_us = 3000\nfill_us = 1",
        )
        .unwrap();
        let found = config.paper_config().latencies;
        assert_eq!((found.amend, found.ack), (None, None));
        assert_eq!(found.cancel, Some(paper::Latency::Constant(micros(3_000))));
        let point = |share_ppb, span_us| QuantilePoint { share_ppb, span_us };
        let points =
            [point(500_000_000, 4_000), point(990_000_000, 9_000), point(1_000_000_000, 20_000)];
        let points = LatencyHistogram::new(&points).unwrap();
        assert_eq!(found.new, Some(paper::Latency::Histogram(points)));
        assert_eq!(Config::from_effective("e", &config.to_toml()), Ok(config.clone()));
        let shown: Vec<String> =
            Config::default().differences(&config).iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "latency.cancel_us: - | 3000",
                "latency.fill_us: - | 1",
                "latency.new_histogram_us: - | [[0.5,4000],[0.99,9000],[1.0,20000]]",
            ]
        );
        assert!(config.latency.describe().ends_with(
            "jitter below 2000 us, new by quantiles up to 20000 us, cancel 3000 us, fill 1 us"
        ));
    }

    #[test]
    fn faults_name_key_and_line() {
        for (lines, start) in [
            ("ack_us = 0", "f.toml:2: [latency] ack_us is zero"),
            ("\nnew_us = 6000000", "f.toml:3: [latency] new_us and jitter pass"),
            ("amend_us = 1\namend_histogram_us = [[1.0, 2]]", "f.toml:2: [latency] amend_us and"),
            ("fill_histogram_us = []", "f.toml:2: [latency] fill_histogram_us: it has no points"),
            ("fill_histogram_us = [[0.9, 5]]", "f.toml:2: [latency] fill_histogram_us: the last"),
            ("fill_histogram_us = [[1.5, 5]]", "f.toml:2: [latency] fill_histogram_us: a quantile"),
            ("new_histogram_us = [[1.0, 6000000]]", "f.toml:2: [latency] new_us and jitter pass"),
            ("new_histogram_us = [[1.0, \"x\"]]", "f.toml:2: latency.new_histogram_us: "),
            ("new_histogram = 1", "f.toml:2: unknown key 'latency.new_histogram', did you mean"),
        ] {
            let found = given(lines).unwrap_err();
            assert!(found[0].starts_with(start), "{found:?} should start with {start}");
        }
    }
}
