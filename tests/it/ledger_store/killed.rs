//! A sync that is killed at any moment is gone on with, and each row is there once.

use super::*;

/// How often a sync is killed.
const KILLS: u64 = 24;

/// Kills a sync again and again, and lets the last one come to its end. How many kills hit it at work.
fn kill_often(db: &Db, dir: &Path, seed: u64, last: u64) -> u64 {
    let mut places = Places(seed);
    let mut hits = 0;
    for round in 0..KILLS {
        let from = db.seq();
        let batch = (1 + places.below(12)).to_string();
        let mut child = db.start(dir, &["--batch", &batch]);
        // Every other time as soon as the watermark has moved so far, else after so many looks: that may be
        // before there is a table.
        let wanted = from + 1 + places.below((last - from).max(4) / 4);
        let mut looks = places.below(600);
        let mut is_over = false;
        wait_until("the sync to come so far", || {
            is_over = child.try_wait().unwrap().is_some();
            looks = looks.saturating_sub(1);
            is_over || if round % 2 == 0 { db.seq() >= wanted } else { looks == 0 }
        });
        child.kill().unwrap();
        hits += u64::from(child.wait().unwrap().code().is_none());
        db.settle();
        db.is_whole();
        assert!(db.seq() >= from, "what is written stays written");
    }
    hits
}

fn once(whole: &Db, killed: &Db, recorded: &Recorded) {
    let report = whole.synced(&recorded.dir, &[]);
    let (rows, last) = (report["rows"].as_u64().unwrap(), report["seq"].as_u64().unwrap());
    assert!(rows > 200, "{rows} rows are something to lose");
    for seed in [0x5eed, 0xdead_beef] {
        if seed != 0x5eed {
            for (table, _) in TABLES.iter().rev() {
                killed.execute(&format!("delete from {table}"));
            }
        }
        let hits = kill_often(killed, &recorded.dir, seed, last);
        // How many find it at work depends on the machine; none would prove nothing.
        assert!(hits > 1, "{hits} of {KILLS} kills hit it at work");
        killed.synced(&recorded.dir, &[]);
        assert_same(killed, whole);
    }
    // Once more writes nothing.
    let again = killed.synced(&recorded.dir, &[]);
    assert_eq!(again["stores"][0]["rows_written"], 0);
    assert_eq!(again["stores"][0]["resumed_from"], last);
    assert_same(killed, whole);
}

#[test]
fn an_sqlite_file_has_each_row_once_whenever_the_sync_is_killed() {
    let recorded = Recorded::new("3");
    once(&recorded.file("whole.sqlite"), &recorded.file("killed.sqlite"), &recorded);
}

#[test]
fn a_postgresql_database_has_each_row_once_whenever_the_sync_is_killed() {
    let Some(cluster) = Cluster::start("a_postgresql_database_has_each_row_once") else { return };
    let recorded = Recorded::new("3");
    let [whole, killed] = ["whole", "killed"].map(|name| Db::Postgres(cluster.database(name)));
    once(&whole, &killed, &recorded);
}

/// One store may have what the other has not: each goes on from where it is.
#[test]
fn two_stores_that_are_not_equally_far_both_get_each_row_once() {
    let Some(cluster) = Cluster::start("two_stores_that_are_not_equally_far") else { return };
    let recorded = Recorded::new("1");
    let [file, whole] = ["both.sqlite", "whole.sqlite"].map(|name| recorded.file(name));
    let [server, other] = ["both", "whole"].map(|name| Db::Postgres(cluster.database(name)));
    let last = whole.synced(&recorded.dir, &[])["seq"].as_u64().unwrap();
    other.synced(&recorded.dir, &[]);
    let to = file.to();
    let both: Vec<&str> = [&to[..], &["--batch", "2"]].concat();
    let mut places = Places(77);
    for round in 0..6 {
        let mut child = server.start(&recorded.dir, &both);
        let wanted = places.below(last / 2);
        wait_until("the sync to come so far", || {
            child.try_wait().unwrap().is_some() || server.seq() >= wanted
        });
        child.kill().unwrap();
        child.wait().unwrap();
        server.settle();
        if round == 2 {
            // From here on one is ahead for certain.
            file.synced(&recorded.dir, &[]);
        }
        file.is_whole();
        server.is_whole();
    }
    server.synced(&recorded.dir, &to);
    assert_same(&file, &whole);
    assert_same(&server, &other);
}
