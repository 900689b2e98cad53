//! A configuration file laid over the defaults, or a whole one, with every fault reported at once.

use toml::{Spanned, Table, Value, de::DeString, de::DeTable, de::DeValue};

use super::{Config, DEFAULTS};

/// Keys of `[[instrument]]`, which the defaults hold only as a comment.
const INSTRUMENT_KEYS: [&str; 15] = [
    "market",
    "symbol",
    "contract",
    "tick",
    "lot_step",
    "lot_min",
    "lot_max",
    "market_lot_max",
    "min_notional",
    "percent_price_up",
    "percent_price_down",
    "max_orders",
    "contract_size",
    "price_places",
    "qty_places",
];

/// Keys of sections that may be absent, so that the defaults hold them only as a comment.
fn optional_keys(section: &str) -> &'static [&'static str] {
    match section {
        "latency" => &super::latency::OPTIONAL_KEYS,
        "fees" => &["tiers"],
        "misbehaviour" => &["outage"],
        "universe" => &["life"],
        _ => &[],
    }
}

/// The configuration of `text` over the defaults.
pub(super) fn overlay(name: &str, text: &str) -> Result<Config, Vec<String>> {
    over(&defaults(), name, text)
}

/// The configuration of `text` over another one.
pub(super) fn over(base: &Table, name: &str, text: &str) -> Result<Config, Vec<String>> {
    read(name, text, &|given| merge(base.clone(), given), &|_| Vec::new())
}

/// The configuration of `text` alone, which names every key: a default that a later version brings along
/// must not slip into what was written down before.
pub(super) fn whole(name: &str, text: &str) -> Result<Config, Vec<String>> {
    read(name, text, &with_late_parts, &|document| missing_keys(name, document))
}

fn read(
    name: &str,
    text: &str,
    complete: &dyn Fn(Table) -> Table,
    missing: &dyn Fn(&DeTable<'_>) -> Vec<String>,
) -> Result<Config, Vec<String>> {
    let document = DeTable::parse(text).map_err(|error| vec![syntax(name, text, &error)])?;
    let mut faults = unknown_keys(name, text, document.get_ref());
    faults.extend(missing(document.get_ref()));
    let merged = complete(text.parse().map_err(|error| vec![syntax(name, text, &error)])?);
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut config: Config = match merged.try_into() {
        Ok(config) => config,
        // Values of a wrong type: deserialise the file's own sections once more, for the line.
        Err(error) => return Err(vec![located(name, text, document.get_ref(), &error)]),
    };
    if let Err(what) = config.latency.resolve() {
        let key = "latency.from_journal";
        let line = key_offset(document.get_ref(), key).map_or(1, |at| line_of(text, at));
        return Err(vec![format!("{name}:{line}: {key}: {what}")]);
    }
    faults.extend(values(name, text, document.get_ref(), &config));
    if faults.is_empty() { Ok(config) } else { Err(faults) }
}

/// Sections that came after journals were written which do not name them. They decide nothing, or nothing that could
/// come up then, so that the defaults may stand in.
const LATE_SECTIONS: [&str; 8] =
    ["runner", "gates", "ledger", "margin", "misbehaviour", "grid", "smart_trend", "credibility"];

/// Keys that came after journals were written which do not name them. Some decide nothing that those runs had, as
/// conditional orders: the defaults may stand in. For the others it is said what was done before there was the key.
pub(super) const LATE_KEYS: [(&str, &str, Option<&str>); 28] = [
    ("run", "warm_up_s", None),
    ("assume", "sparse", Some("off")),
    ("assume", "book_wait_ms", None),
    ("assume", "touch_cadence_ms", None),
    ("assume", "spread_bp", None),
    ("assume", "depth_notional", None),
    ("assume", "depth_band_age_max_ms", None),
    ("assume", "bar_volume_share", None),
    ("fees", "opening_volume", None),
    ("paper", "self_trade", Some("expire-maker")),
    ("paper", "queue", Some("trades-only")),
    ("paper", "queue_function", None),
    ("paper", "queue_power", None),
    ("paper", "conditional_max", None),
    ("limits_default", "trigger_distance_bp", None),
    ("limits_default", "callback_min_bp", None),
    ("limits_default", "callback_max_bp", None),
    ("limits_default", "conditional_max", None),
    ("limits_bench", "trigger_distance_bp", None),
    ("limits_bench", "callback_min_bp", None),
    ("limits_bench", "callback_max_bp", None),
    ("limits_bench", "conditional_max", None),
    ("taker", "stop_bp", None),
    ("taker", "take_profit_bp", None),
    ("taker", "trailing_bp", None),
    ("taker", "protect_by", None),
    ("credibility", "maker_fee_min_bp", None),
    ("credibility", "liquidation_fee_min_bp", None),
];

fn with_late_parts(mut given: Table) -> Table {
    let defaults = defaults();
    for (section, key, before) in LATE_KEYS {
        if let Some(Value::Table(keys)) = given.get_mut(section)
            && !keys.contains_key(key)
        {
            let value = before.map_or_else(|| defaults[section][key].clone(), Value::from);
            keys.insert(key.to_owned(), value);
        }
    }
    for (section, keys) in defaults {
        if LATE_SECTIONS.contains(&section.as_str()) && !given.contains_key(&section) {
            given.insert(section, keys);
        }
    }
    given
}

/// The keys of the defaults that a whole configuration does not name.
fn missing_keys(name: &str, document: &DeTable<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for (section, keys) in defaults() {
        let given = document.get(section.as_str()).map(Spanned::get_ref);
        if given.is_none() && LATE_SECTIONS.contains(&section.as_str()) {
            continue;
        }
        for key in keys.as_table().into_iter().flat_map(Table::keys) {
            let named =
                matches!(given, Some(DeValue::Table(table)) if table.contains_key(key.as_str()));
            let late = LATE_KEYS.iter().any(|late| (late.0, late.1) == (&section, key));
            if !named && !late {
                faults.push(format!("{name}: key '{section}.{key}' is missing"));
            }
        }
    }
    // Whether a table keeps the order of its keys is up to whoever else uses the crate.
    faults.sort();
    faults
}

fn defaults() -> Table {
    DEFAULTS.parse().expect("the embedded defaults parse, a test checks it")
}

/// Sections are merged key by key; everything else replaces.
fn merge(mut base: Table, over: Table) -> Table {
    for (key, value) in over {
        match (base.remove(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => {
                base.insert(key, Value::Table(merge(old, new)));
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
    base
}

fn unknown_keys(name: &str, text: &str, document: &DeTable<'_>) -> Vec<String> {
    let known = defaults();
    let mut faults = Vec::new();
    for (key, value) in document {
        match (known.get(key.get_ref().as_ref()), value.get_ref()) {
            (Some(Value::Table(section)), DeValue::Table(given)) => {
                let optional = optional_keys(key.get_ref()).iter().copied();
                let names: Vec<&str> = section.keys().map(String::as_str).chain(optional).collect();
                faults.extend(unknown_in(name, text, key.get_ref(), given, &names));
            }
            (None, DeValue::Array(entries)) if key.get_ref() == "instrument" => {
                for entry in entries.iter() {
                    if let DeValue::Table(given) = entry.get_ref() {
                        faults.extend(unknown_in(
                            name,
                            text,
                            "instrument",
                            given,
                            &INSTRUMENT_KEYS,
                        ));
                    }
                }
            }
            (Some(_), _) => {}
            (None, _) => {
                let names: Vec<&str> =
                    known.keys().map(String::as_str).chain(["instrument"]).collect();
                faults.push(unknown(name, text, key, key.get_ref(), &names));
            }
        }
    }
    faults
}

fn unknown_in(
    name: &str,
    text: &str,
    section: &str,
    given: &DeTable<'_>,
    known: &[&str],
) -> Vec<String> {
    given
        .keys()
        .filter(|key| !known.contains(&key.get_ref().as_ref()))
        .map(|key| unknown(name, text, key, &format!("{section}.{}", key.get_ref()), known))
        .collect()
}

fn unknown(
    name: &str,
    text: &str,
    key: &Spanned<DeString<'_>>,
    path: &str,
    known: &[&str],
) -> String {
    let line = line_of(text, key.span().start);
    let given: &str = key.get_ref().as_ref();
    let likeness = |key: &str| strsim::jaro_winkler(given, key);
    let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let hint = match nearest {
        Some(&"instrument") if given == "instrument" => ", write [[instrument]]".to_owned(),
        Some(key) if likeness(key) >= LIKENESS_MIN => format!(", did you mean '{key}'?"),
        Some(_) | None => format!(", known here: {}", known.join(", ")),
    };
    format!("{name}:{line}: unknown key '{path}'{hint}")
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&b| b == b'\n').count() + 1
}

fn syntax(name: &str, text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map_or(1, |span| line_of(text, span.start));
    format!("{name}:{line}: {}", error.message())
}

/// A type error of the merged table has no place: the first key that it names has.
fn located(name: &str, text: &str, document: &DeTable<'_>, error: &toml::de::Error) -> String {
    // The error's own text ends with `in `section.key``.
    let shown = error.to_string();
    let place = shown.lines().find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
    let line = place.and_then(|path| key_offset(document, path)).map_or(1, |at| line_of(text, at));
    let path = place.unwrap_or("configuration");
    format!("{name}:{line}: {path}: {}", error.message())
}

/// Where a dotted key stands; of an array the first entry.
fn key_offset(document: &DeTable<'_>, path: &str) -> Option<usize> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(a, b)| (a, Some(b)));
    let (key, value) = document.iter().find(|(key, _)| key.get_ref() == first)?;
    let inside = rest.and_then(|rest| {
        if let DeValue::Table(table) = value.get_ref() { key_offset(table, rest) } else { None }
    });
    Some(inside.unwrap_or(key.span().start))
}

/// What the types can not say.
fn values(name: &str, text: &str, document: &DeTable<'_>, config: &Config) -> Vec<String> {
    let at = |path: &str| key_offset(document, path).map_or(1, |offset| line_of(text, offset));
    let mut faults = Vec::new();
    let mut fault = |path: &str, what: String| faults.push(format!("{name}:{}: {what}", at(path)));
    if let Err(what) = config.books().validate() {
        // The text begins with the key.
        let key = what.split_whitespace().next().unwrap_or_default();
        fault(&format!("book.{key}"), what.clone());
    }
    for (key, bytes) in [
        ("capture.line_bytes_max", config.capture.line_bytes_max),
        ("capture.rest_bytes_max", config.capture.rest_bytes_max),
    ] {
        if bytes < BYTES_MIN {
            fault(key, format!("{key} = {bytes}, at least {BYTES_MIN}"));
        }
    }
    for (sections, what) in config.part_faults() {
        let field = what.split(|c: char| !c.is_alphanumeric() && !"_.".contains(c)).next();
        let path = key_of(document, sections, field.unwrap_or_default());
        let section = path.split('.').next().unwrap_or_default().to_owned();
        fault(&path, format!("[{section}] {what}"));
    }
    for (key, value) in
        [("ring.messages", config.ring.messages), ("ring.levels", config.ring.levels)]
    {
        if !(1..=RING_MOST).contains(&value) {
            fault(key, format!("{key} = {value} is not in 1 to {RING_MOST}"));
        }
    }
    for (key, what) in config.runner_faults() {
        fault(key, what);
    }
    for (key, what) in config.journal_faults() {
        fault(key, what);
    }
    for (key, what) in config.credibility.faults() {
        fault(key, what);
    }
    if let Err(what) = super::strategies::strategy_names(&config.run.strategy) {
        fault("run.strategy", format!("run.strategy: {what}"));
    }
    for (index, key) in config.universe.symbols.iter().enumerate() {
        if key.trim().is_empty() || config.universe.symbols[..index].contains(key) {
            fault(
                "universe.symbols",
                format!("universe.symbols: {key:?} is empty or stands there twice"),
            );
        }
    }
    for (index, entry) in config.instrument.iter().enumerate() {
        if let Err(what) = entry.instrument() {
            fault("instrument", format!("instrument {}: {what}", entry.key()));
        }
        if config.instrument[..index].iter().any(|other| other.key() == entry.key()) {
            fault("instrument", format!("instrument {} stands there twice", entry.key()));
        }
    }
    faults
}

/// The key of the file that a part's field comes from: its name ends in a unit, or differs in more; then
/// the first section that the file names.
fn key_of(document: &DeTable<'_>, sections: &[&str], field: &str) -> String {
    // `quoter.half_spread`: the first part may be the section, as several have keys of one name.
    let own =
        field.split_once('.').and_then(|(first, _)| sections.iter().position(|s| *s == first));
    let sections = own.map_or(sections, |at| &sections[at..=at]);
    // `faults.lose_ppm`, `quoter.half_spread`: the last part is the key.
    let field = field.rsplit('.').next().unwrap_or(field);
    let first_word = |name: &str| name.split('_').next().unwrap_or_default().to_owned();
    let whole = |key: &str| key.starts_with(field) || field.starts_with(key);
    let begins = |key: &str| first_word(key) == first_word(field);
    let find = |alike: &dyn Fn(&str) -> bool| {
        sections.iter().find_map(|section| {
            let DeValue::Table(table) = document.get(*section)?.get_ref() else { return None };
            let key = table.keys().find(|key| alike(key.get_ref().as_ref()))?;
            Some(format!("{section}.{}", key.get_ref()))
        })
    };
    let named = || sections.iter().find(|section| document.contains_key(**section));
    let section = || (*named().unwrap_or(&sections[0])).to_owned();
    find(&whole).or_else(|| find(&begins)).unwrap_or_else(section)
}

/// Longest ring, against a slip that takes all memory.
const RING_MOST: u32 = 1 << 20;
/// A recording's line holds at least a frame.
const BYTES_MIN: u32 = 1_024;
/// Names less alike than this are not worth a hint (Jaro-Winkler, 0 to 1).
const LIKENESS_MIN: f64 = 0.75;

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        overlay("f.toml", text).unwrap_err()
    }

    #[test]
    fn a_file_changes_only_what_it_names() {
        let config = overlay("f.toml", "[book]\nfar_levels_max = 99\n").unwrap();
        assert_eq!(config.book.far_levels_max, 99);
        assert_eq!(config.book.window_ticks, Config::default().book.window_ticks);
    }

    #[test]
    fn unknown_keys_are_all_named_with_line_and_nearest() {
        let text = "[book]\nwindow_tick = 5\n\n[captur]\nx = 1\n[[instrument]]\nsymbl = \"A\"\n";
        assert_eq!(
            faults(text),
            [
                "f.toml:2: unknown key 'book.window_tick', did you mean 'window_ticks'?",
                "f.toml:4: unknown key 'captur', did you mean 'capture'?",
                "f.toml:7: unknown key 'instrument.symbl', did you mean 'symbol'?",
            ]
        );
    }

    #[test]
    fn wrong_types_and_values_name_key_and_line() {
        let cases = [
            ("\n[book]\nwindow_ticks = \"x\"\n", "f.toml:3: book.window_ticks: "),
            ("[book]\nwindow_ticks = 100\n", "f.toml:2: window_ticks"),
            ("[capture]\nline_bytes_max = 0\n", "f.toml:2: capture.line_bytes_max"),
            ("[universe]\nsymbols = [\"A\", \"A\"]\n", "f.toml:2: universe.symbols"),
            (
                "[instrument]\ntick = \"1\"\n",
                "f.toml:1: unknown key 'instrument', write [[instrument]]",
            ),
            ("zzz = 1\n", "f.toml:1: unknown key 'zzz', known here: "),
            ("[run]\nstrategy = \"martingale\"\n", "f.toml:2: run.strategy: unknown strategy"),
            ("[book\n", "f.toml:1: "),
            ("[run]\nseed = 1\n[clock]\ntick_ms = 0\n", "f.toml:4: [clock] tick = 0"),
            ("[latency]\n\norder_us = 0\n", "f.toml:3: [latency] order_latency"),
            ("[limits_bench]\nleverage_max = 6\n", "f.toml:2: [limits_bench] leverage_max"),
            ("[limits_default]\ncollar_bp = \"0\"\n", "f.toml:2: [limits_default] collar "),
            ("[quoter]\nrequote_ticks = 0\n", "f.toml:2: [quoter] quoter.requote_ticks"),
            (
                "[taker]\nnotional = \"1\"\n[grid]\nnotional = \"0\"\n",
                "f.toml:4: [grid] grid.notional",
            ),
            ("[fees]\nmaker = \"0.2\"\n", "f.toml:2: [fees] fees.maker"),
            ("[fees]\nmaker = 0.0002\n", "f.toml:2: fees.maker: "),
            ("[ring]\nmessages = 0\n", "f.toml:2: ring.messages = 0"),
            ("[account]\nbalance = \"-1\"\n", "f.toml:2: [account] balance"),
            ("[assume]\nset = \"stormy\"\n", "f.toml:2: assume.set: "),
            (
                "[assume]\nset = \"calm\"\ndepth_band_age_max_ms = 0\n",
                "f.toml:3: [assume] depth_band_age_max = 0 ns",
            ),
            ("[book]\nwindow_ticks = -1\n", "f.toml:2: book.window_ticks: "),
        ];
        for (text, start) in cases {
            let found = faults(text);
            assert!(found[0].starts_with(start), "{found:?} should start with {start}");
        }
    }

    #[test]
    fn an_instrument_of_floats_is_refused() {
        let text = "[[instrument]]\nmarket=\"usdm\"\nsymbol=\"A\"\ncontract=\"perpetual\"\ntick=0.1\n\
                    lot_step=\"1\"\nlot_max=\"9\"\n";
        assert!(faults(text)[0].contains("instrument"), "{:?}", faults(text));
    }

    #[test]
    fn instruments_that_contradict_themselves_are_refused() {
        let with = |lines: &str| {
            format!(
                "[[instrument]]\nmarket=\"usdm\"\nsymbol=\"A\"\ntick=\"0.1\"\nlot_step=\"1\"\n{lines}\n"
            )
        };
        let good = with("contract=\"perpetual\"\nlot_max=\"9\"");
        assert!(overlay("f.toml", &good).is_ok());
        for (text, part) in [
            (with("contract=\"spot\"\nlot_max=\"9\""), "does not exist in market usdm"),
            (with("contract=\"perpetual\"\nlot_max=\"-5\""), "lot_max"),
            (with("contract=\"perpetual\"\nlot_max=\"9\"\nlot_min=\"99\""), "lot_min"),
            (good.clone() + &good, "stands there twice"),
        ] {
            assert!(faults(&text)[0].contains(part), "{:?}", faults(&text));
        }
    }

    #[test]
    fn a_bad_instrument_is_named_at_its_section() {
        let text = "\n[[instrument]]\nmarket=\"spot\"\nsymbol=\"A\"\ncontract=\"spot\"\ntick=\"0\"\n\
                    lot_step=\"1\"\nlot_max=\"9\"\n[book]\nwindow_ticks = 100\n";
        assert_eq!(
            faults(text),
            [
                "f.toml:10: window_ticks = 100 is not a power of two",
                "f.toml:2: instrument SPOT:A: tick and lot_step must be above zero",
            ]
        );
    }

    #[test]
    fn lines_are_counted_from_one() {
        assert_eq!([0, 1, 2, 3].map(|offset| line_of("a\n\nb", offset)), [1, 1, 2, 3]);
    }
}
