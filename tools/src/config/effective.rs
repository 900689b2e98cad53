//! The configuration that a run really had, written down whole, read back, and compared key by key.

use serde_json::Value;

use super::difference::{Difference, Facts, by_symbol, compare, gather};
use super::{Config, check};

/// Keys that change no decision: how a run is written down, and how far one stage may be ahead of the next.
/// `ring.levels` is none of them: a frame that does not fit its ring invalidates its book.
const IDLE_KEYS: [&str; 1] = ["ring.messages"];
/// Sections of such keys.
const IDLE_SECTIONS: [&str; 4] = ["journal.", "runner.", "gates.", "credibility."];

impl Config {
    /// The whole configuration as TOML: every key, in the order of the defaults, without comments.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self)
            .expect("sections of numbers, texts and lists, a test writes every key")
    }

    /// Reads what [`Config::to_toml`] wrote, through the checks that a file goes through. Nothing is filled
    /// in: what is missing is a fault. `name` stands in the faults.
    ///
    /// # Errors
    /// Every fault, one line each: `NAME:LINE: what`.
    pub fn from_effective(name: &str, text: &str) -> Result<Self, Vec<String>> {
        check::whole(name, text)
    }

    /// What differs from another configuration, by key.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let facts = |config: &Self| {
            let value = serde_json::to_value(config);
            facts(value.expect("sections of numbers, texts and lists, a test writes every key"))
        };
        compare(&facts(self), &facts(other), decides)
    }
}

/// All values of a configuration by their keys. It need not be one that this version can run.
pub(crate) fn facts(mut config: Value) -> Facts {
    let mut facts = Facts::new();
    by_symbol(config.get_mut("instrument"));
    gather("", &config, &mut facts);
    facts
}

/// Whether decisions can depend on a key.
pub(crate) fn decides(key: &str) -> bool {
    let idle = IDLE_SECTIONS.iter().any(|section| key.starts_with(section));
    !idle && !IDLE_KEYS.contains(&key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal;
    use toml::{Table, Value as Toml};

    use super::super::{DEFAULTS, ProfileName};
    use super::*;

    fn overlay(text: &str) -> Result<Config, Vec<String>> {
        check::overlay("f.toml", text)
    }

    fn there_and_back(config: &Config) -> Config {
        let text = config.to_toml();
        assert_eq!(text, config.to_toml());
        Config::from_effective("effective", &text).unwrap()
    }

    /// Other values that the key may take, nearest first, so that bounds between keys hold.
    fn other_values(key: &str, value: &Toml) -> Vec<Toml> {
        let texts = |texts: &[&str]| texts.iter().map(|text| Toml::from(*text)).collect();
        match (key, value) {
            ("run.strategy", _) => texts(&["taker, noop"]),
            ("assume.set", _) => texts(&["none"]),
            ("assume.sparse", _) => texts(&["off"]),
            ("paper.queue", _) => texts(&["probabilistic"]),
            ("paper.queue_function", _) => texts(&["log"]),
            ("paper.self_trade", _) => texts(&["expire-both"]),
            ("risk.profile", _) => texts(&["bench"]),
            ("journal.retention", _) => texts(&["drop-oldest"]),
            ("runner.mode", _) => texts(&["pinned"]),
            ("runner.threads", _) => texts(&["feed+sequencer+alpha, risk+gateway"]),
            ("runner.cores", _) => vec![Toml::from(vec![2, 3])],
            ("runner.idle", _) => texts(&["backoff"]),
            ("runner.lock_memory", _) => texts(&["off"]),
            ("runner.pace", _) => texts(&["10x"]),
            ("taker.protect_by", _) => texts(&["last"]),
            ("smart_trend.stop_by", _) => texts(&["mark"]),
            // Off, or no less than the exchange's least callback.
            ("taker.trailing_bp", _) => texts(&["20"]),
            (_, Toml::Integer(number)) => {
                [number + 1, number - 1, number * 2, number / 2].map(Toml::from).into()
            }
            (_, Toml::String(text)) => {
                let number: Decimal = text.parse().unwrap();
                let step = Decimal::new(1, 4);
                [number + step, number - step].map(|other| Toml::from(other.to_string())).into()
            }
            (_, Toml::Array(_)) => vec![Toml::from(vec!["ETHUSDT", "SPOT:BTCUSDT"])],
            (key, other) => panic!("{key} = {other}: how does this change?"),
        }
    }

    /// A file that changes one key, and the configuration that it gives.
    fn changed(section: &str, key: &str, value: &Toml) -> Config {
        let other = other_values(&format!("{section}.{key}"), value);
        let mut given =
            other.iter().map(|other| overlay(&format!("[{section}]\n{key} = {other}\n")));
        given.find_map(Result::ok).unwrap_or_else(|| panic!("{section}.{key}: no other value fits"))
    }

    #[test]
    fn the_defaults_are_written_down_key_by_key() {
        let defaults = Config::default();
        assert_eq!(there_and_back(&defaults), defaults);
        assert_eq!(defaults.to_toml().parse(), DEFAULTS.parse::<Table>());
        assert_eq!(defaults.differences(&defaults), []);
    }

    #[test]
    fn every_key_survives_and_is_named_when_it_differs() {
        let defaults = Config::default();
        let mut keys = 0;
        for (section, table) in DEFAULTS.parse::<Table>().unwrap() {
            for (key, value) in table.as_table().unwrap() {
                let config = changed(&section, key, value);
                assert_ne!(config, defaults, "{section}.{key}");
                assert_eq!(there_and_back(&config), config, "{section}.{key}");
                let found = defaults.differences(&config);
                let [difference] = &found[..] else { panic!("{section}.{key}: {found:?}") };
                assert_eq!(difference.key, format!("{section}.{key}"));
                let idle = ["journal", "runner", "gates", "credibility"]
                    .contains(&section.as_str())
                    || difference.key == "ring.messages";
                assert_eq!(difference.decides, !idle, "{}", difference.key);
                keys += 1;
            }
        }
        assert!(keys > 100, "{keys}");
    }

    #[test]
    fn every_key_changed_at_once_survives() {
        let mut all = Table::new();
        for (section, table) in DEFAULTS.parse::<Table>().unwrap() {
            let mut other = Table::new();
            for (key, value) in table.as_table().unwrap() {
                let config: Table = changed(&section, key, value).to_toml().parse().unwrap();
                other.insert(key.clone(), config[&section][key].clone());
            }
            all.insert(section, Toml::Table(other));
        }
        let config = overlay(&all.to_string()).unwrap();
        assert_eq!(there_and_back(&config), config);
        let sections = DEFAULTS.parse::<Table>().unwrap();
        let keys: usize = sections.values().map(|section| section.as_table().unwrap().len()).sum();
        assert_eq!(Config::default().differences(&config).len(), keys);
    }

    const INSTRUMENT: &str = "[[instrument]]\nmarket = \"coinm\"\nsymbol = \"BTCUSD_PERP\"\n\
                              contract = \"perpetual\"\ntick = \"0.10\"\nlot_step = \"1\"\n\
                              lot_max = \"1000\"\n";

    #[test]
    fn instruments_by_hand_survive_with_every_key() {
        let base = overlay(INSTRUMENT).unwrap();
        assert!(base.to_toml().contains("tick = \"0.1\"\n"), "no more digits than needed");
        assert_eq!(there_and_back(&base), base);
        for (key, value) in [
            ("lot_min", "\"2\""),
            ("market_lot_max", "\"500\""),
            ("min_notional", "\"5.50\""),
            ("max_orders", "7"),
            ("contract_size", "\"100\""),
            ("price_places", "1"),
            ("qty_places", "0"),
        ] {
            let config = overlay(&format!("{INSTRUMENT}{key} = {value}\n")).unwrap();
            assert_eq!(there_and_back(&config), config, "{key}");
            let found = base.differences(&config);
            assert_eq!(found.len(), 1, "{key}: {found:?}");
            assert_eq!(found[0].key, format!("instrument.coinm:BTCUSD_PERP.{key}"));
        }
        let band =
            format!("{INSTRUMENT}percent_price_up = \"1.050\"\npercent_price_down = \"0.95\"\n");
        let config = overlay(&band).unwrap();
        assert_eq!(there_and_back(&config), config);
        let found = base.differences(&config);
        let shown: Vec<_> = found.iter().map(|d| (d.left.as_str(), d.right.as_str())).collect();
        assert_eq!(shown, [("-", "0.95"), ("-", "1.05")]);
    }

    #[test]
    fn what_the_command_line_puts_in_survives() {
        let mut config = Config::default();
        config.risk.profile = ProfileName::Bench;
        config.run.strategy = "quoter,taker".to_owned();
        for seed in [0, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
            config.run.seed = seed;
            assert_eq!(there_and_back(&config), config, "{seed}");
        }
        let found = Config::default().differences(&config);
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "risk.profile: default | bench",
                "run.seed: 42 | 18446744073709551615",
                "run.strategy: quoter | quoter,taker",
            ]
        );
    }

    proptest! {
        #[test]
        fn any_symbol_survives(symbols in proptest::collection::btree_set("\\PC{0,3}[A-Z币\"'\\\\\n\u{0}]", 0..5)) {
            let mut config = Config::default();
            config.universe.symbols = symbols.into_iter().filter(|s| !s.trim().is_empty()).collect();
            prop_assert_eq!(there_and_back(&config), config);
        }
    }

    #[test]
    fn a_seed_is_a_number_that_exists() {
        let fault = |value: &str| overlay(&format!("\n[run]\nseed = {value}\n")).unwrap_err();
        for value in ["-1", "\"-1\"", "\"18446744073709551616\"", "\"\"", "1.5", "true"] {
            let found = fault(value);
            assert!(found[0].starts_with("f.toml:3: run.seed: "), "{found:?}");
        }
    }

    #[test]
    fn what_is_missing_is_not_filled_in() {
        let whole = Config::default().to_toml();
        let without = |line: &str| Config::from_effective("e", &whole.replacen(line, "", 1));
        assert_eq!(
            without("leverage_max = 5\n"),
            Err(vec!["e: key 'limits_default.leverage_max' is missing".to_owned()])
        );
        assert_eq!(
            without("[clock]\ntick_ms = 100\nbar_s = 60\n"),
            Err(vec![
                "e: key 'clock.bar_s' is missing".to_owned(),
                "e: key 'clock.tick_ms' is missing".to_owned(),
            ])
        );
    }

    /// A journal that was written before there were such sections.
    #[test]
    fn sections_that_decide_nothing_may_be_missing_as_a_whole() {
        let whole = Config::default().to_toml();
        let mut table: Table = whole.parse().unwrap();
        table.remove("runner");
        table.remove("gates");
        assert_eq!(Config::from_effective("e", &table.to_string()), Ok(Config::default()));
        table.remove("journal");
        assert!(Config::from_effective("e", &table.to_string()).is_err());
        let cut = whole.replacen("idle = \"spin\"\n", "", 1);
        let fault = "e: key 'runner.idle' is missing".to_owned();
        assert_eq!(Config::from_effective("e", &cut), Err(vec![fault]));
    }

    /// A journal that was written before the queue had models, which meant the strictest.
    #[test]
    fn keys_that_came_later_say_what_was_done_before() {
        let mut table: Table = Config::default().to_toml().parse().unwrap();
        let paper = table["paper"].as_table_mut().unwrap();
        for key in ["queue", "queue_function", "queue_power", "self_trade"] {
            paper.remove(key).unwrap();
        }
        table["fees"].as_table_mut().unwrap().remove("opening_volume").unwrap();
        let found = Config::from_effective("e", &table.to_string()).unwrap();
        let shown: Vec<_> =
            Config::default().differences(&found).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["paper.queue: risk-averse | trades-only"]);
        table.remove("paper");
        assert!(Config::from_effective("e", &table.to_string()).is_err());
    }

    /// A journal that was written before there were conditional orders.
    #[test]
    fn keys_of_what_was_not_there_may_be_missing() {
        let mut table: Table = Config::default().to_toml().parse().unwrap();
        for (section, key, before) in check::LATE_KEYS {
            if before.is_some() {
                continue;
            }
            let keys = table[section].as_table_mut().unwrap();
            assert!(keys.remove(key).is_some(), "{section}.{key}");
        }
        assert_eq!(Config::from_effective("e", &table.to_string()), Ok(Config::default()));
    }

    #[test]
    fn the_checks_of_a_file_hold() {
        let whole = Config::default().to_toml();
        let with = |from: &str, to: &str| {
            assert!(whole.contains(from), "{from}");
            Config::from_effective("e", &whole.replacen(from, to, 1)).unwrap_err().remove(0)
        };
        assert!(with("tick_ms = 100", "tick_ms = 0").contains(": [clock] tick = 0"));
        assert!(with("tick_ms = 100", "tick_ms = \"x\"").contains(": clock.tick_ms: "));
        assert!(with("tick_ms = 100", "tick_ms = 100\ntock_ms = 1").contains("unknown key"));
        assert!(with("[clock]", "[clock").starts_with("e:"));
        assert!(Config::from_effective("e", "").is_err());
    }
}
