//! What tells two runs apart.

use super::*;

/// The differences as lines, between a header and one that was changed.
fn differences(change: impl FnOnce(&mut Header)) -> Vec<String> {
    let header = given().header();
    let mut other = header.clone();
    change(&mut other);
    header.differences(&other).iter().map(ToString::to_string).collect()
}

#[test]
fn runs_are_told_apart_by_key() {
    assert!(differences(|_| {}).is_empty());
    assert!(differences(|other| other.created = Nanos(0)).is_empty());
    let replaced = |other: &mut Header, from: &str, to: &str| {
        assert!(other.config.contains(from), "{from}");
        other.config = other.config.replacen(from, to, 1);
    };
    let found = differences(|other| {
        other.build.commit = "f00".to_owned();
        other.seed = 5;
        other.strategies.remove(0);
        other.tradable.remove(0);
        other.first_recv = Nanos(START + 1);
        replaced(other, "collar_bp = \"100\"", "collar_bp = \"200\"");
        replaced(other, "sync_ms = 1000", "sync_ms = 10");
        replaced(other, "[clock]", "[clock]\nnew_key = true");
    });
    let commit = Build::this().commit;
    assert_eq!(
        found,
        [
            format!("build.commit: {commit} | f00"),
            "clock.new_key: - | true".to_owned(),
            "first_recv: 2023-11-14T22:13:20.000000000Z | 2023-11-14T22:13:20.000000001Z"
                .to_owned(),
            "journal.sync_ms: 1000 | 10 (decides nothing)".to_owned(),
            "limits_default.collar_bp: 100 | 200".to_owned(),
            "seed: 18446744073709551615 | 5".to_owned(),
            "strategies: [\"taker\",\"quoter\"] | [\"quoter\"]".to_owned(),
            "tradable: [0,1] | [1]".to_owned(),
        ]
    );
}

#[test]
fn instruments_and_recordings_are_told_apart() {
    let found = differences(|other| {
        other.instruments.swap(0, 1);
        other.instruments[2].tick = None;
        other.instruments[2].lot.max = Qty(ONE);
    });
    assert_eq!(
        found,
        [
            "instruments.spot:ETHUSDT.lot.max: 9000 | 1",
            "instruments.spot:ETHUSDT.tick: 0.01 | -",
            "instruments.usdm:BTCUSDT.number: 1 | 0",
            "instruments.usdm:ETHUSDT.number: 0 | 1",
        ]
    );
    let found = differences(|other| {
        other.frames = Frames::Copy;
        other.allow_broken = true;
        let source = &mut other.sources[0];
        source.name = "n".to_owned();
        source.path = Some("/p".to_owned());
        source.bytes = Some(9);
        source.only_symbol = None;
    });
    let keys: Vec<&str> = found.iter().map(|line| line.split(':').next().unwrap()).collect();
    let decided: Vec<bool> =
        found.iter().map(|line| !line.ends_with("(decides nothing)")).collect();
    assert_eq!(
        keys,
        [
            "allow_broken",
            "frames",
            "sources[0].bytes",
            "sources[0].name",
            "sources[0].only_symbol",
            "sources[0].path",
        ]
    );
    assert_eq!(decided, [false, false, true, false, true, false]);
}

#[test]
fn a_configuration_that_is_none_is_compared_as_text() {
    let found = differences(|other| other.config = "= nothing".to_owned());
    assert!(found.contains(&"config: - | = nothing".to_owned()), "{found:?}");
    assert!(found.contains(&"clock.tick_ms: 100 | -".to_owned()), "{found:?}");
}
