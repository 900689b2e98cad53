//! The figures of a journal, of a file and of a server are the same.

use super::*;

fn shown(output: &Output) -> String {
    let (stdout, stderr) = said(output, 0);
    assert_eq!(stderr, "");
    stdout
}

#[test]
fn a_journal_and_both_databases_tell_the_same_figures() {
    let cluster = Cluster::start("a_journal_and_both_databases_tell_the_same_figures");
    let recorded = Recorded::new("3");
    let mut stores = vec![recorded.file("shown.sqlite")];
    stores.extend(cluster.as_ref().map(|cluster| Db::Postgres(cluster.database("shown"))));
    for options in [&[][..], &["-n", "all"], &["-n", "0"], &["--json"], &["--json", "-n", "all"]] {
        let show = ["ledger", "show", arg(&recorded.dir)];
        let of_journal = shown(&fusewire_with(&[], &[&show[..], options].concat()));
        for db in &stores {
            db.synced(&recorded.dir, &[]);
            assert_eq!(shown(&db.show(options)), of_journal, "{db:?} {options:?}");
        }
        if options == ["--json", "-n", "all"] {
            adds_up(&serde_json::from_str(&of_journal).unwrap(), &stores);
        }
    }
}

/// What is shown is what the tables hold.
fn adds_up(figures: &Value, stores: &[Db]) {
    for (key, table) in
        [("trades", "trades"), ("closed", "positions"), ("reconciliations", "reconciliations")]
    {
        let count = figures[key]["count"].as_u64().unwrap();
        assert_eq!(figures[key]["last"].as_array().unwrap().len() as u64, count);
        for db in stores {
            assert_eq!(
                db.number(&format!("select count(*) as n from {table}")),
                Some(count),
                "{table}"
            );
        }
    }
    assert!(figures["trades"]["count"].as_u64().unwrap() > 50);
    for db in stores {
        let zero =
            "select seq from postings group by journal, session, seq having sum(amount) <> 0";
        assert_eq!(db.query(zero), Some(vec![]), "the postings of each event add up to zero");
    }
    let raw = |text: &Value| {
        let amount = fusewire_core::units::UsdSum::parse(text.as_str().unwrap().as_bytes());
        amount.unwrap().0
    };
    let (pnl, account) = (&figures["pnl"], &figures["account"]);
    let change = raw(&account["wallet"]) - raw(&account["opening"]);
    assert_eq!(change, raw(&pnl["net"]) + raw(&pnl["transfer"]));
    let by: i128 =
        figures["by"].as_array().unwrap().iter().map(|one| raw(&one["pnl"]["net"])).sum();
    assert_eq!(by, raw(&pnl["net"]));
}

#[test]
fn a_database_with_several_journals_asks_which() {
    let recorded = Recorded::new("1");
    let second = recorded.path("second");
    json(&recorded.replay(&second));
    let both = recorded.file("both.sqlite");
    let ids = [recorded.dir.as_path(), &second].map(|dir| {
        let report = both.synced(dir, &[]);
        both.is_whole_of_all();
        report["journal"].as_str().unwrap().to_owned()
    });
    assert_ne!(ids[0], ids[1], "the same run twice is two journals");
    crate::journal::refused(&both.show(&[]), &["holds several journals", &ids[0], &ids[1]]);
    crate::journal::refused(&both.show(&["--journal", "x"]), &["no journal x"]);
    for id in &ids {
        let figures: Value =
            serde_json::from_str(&shown(&both.show(&["--json", "--journal", &id[..12]]))).unwrap();
        assert_eq!(figures["journal"]["id"], **id);
    }
}

impl Db {
    /// As `is_whole`, of a database with several journals.
    fn is_whole_of_all(&self) {
        let rows = self.number("select sum(row_count) from progress");
        let counts =
            ROWS.map(|table| self.number(&format!("select count(*) from {table}")).unwrap());
        assert_eq!(rows, Some(counts.iter().sum()));
    }
}
