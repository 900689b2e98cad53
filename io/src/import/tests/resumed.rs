//! An import that was killed: nothing under its name, and the next one goes on.

use super::*;

fn bars(day: u64) -> String {
    let row = |minute: u64| {
        let at = 1_746_316_800_000 + day * 86_400_000 + minute * 60_000;
        format!("{at},BTCUSDT,10,12,9,11,5\n")
    };
    "open_time_ms,symbol,open,high,low,close,volume\n".to_owned()
        + &(0..1_440).map(row).collect::<String>()
}

/// What a kill leaves: the staging folder of an import that ended behind `done` of its files.
fn killed(folder: &Folder, files: &[PathBuf], done: usize) {
    killed_with(folder, files, done, &usdm());
}

/// The same with these options.
pub(super) fn killed_with(folder: &Folder, files: &[PathBuf], done: usize, options: &Options) {
    let which = format!("{} {options:?}", Format::Klines.name());
    let mut staging = staging::Staging::open(&folder.path("out"), &which).unwrap();
    let other = Folder::new();
    let whole = other.import(Format::Klines, files, options).unwrap();
    for input in &whole.inputs[..done] {
        let name = format!("run-{:06}.tape", staging.next_run());
        let part = import_to(
            &other.path(&input.file),
            Format::Klines,
            &[folder.path(&input.file)],
            options,
        );
        let tape = other.path(&input.file).join(&part.unwrap().tapes[0].file);
        fs::copy(tape, staging.folder().join(&name)).unwrap();
        staging
            .note(staging::DoneFile { input: input.clone(), runs: vec![name], tape: None })
            .unwrap();
    }
    // And the file at which it was cut.
    fs::write(staging.folder().join("run-000007.tape.partial"), "half").unwrap();
    drop(staging);
}

#[test]
fn a_killed_import_goes_on_behind_the_last_file_that_was_done() {
    let folder = Folder::new();
    let files: Vec<_> =
        (0..3).map(|day| folder.file(&format!("day{day}.csv"), &bars(day))).collect();
    let expected = Folder::new();
    let whole = expected.import(Format::Klines, &files, &usdm()).unwrap();
    let bytes = |folder: &Folder| fs::read(folder.path("out").join(&whole.tapes[0].file)).unwrap();
    for done in 0..=3 {
        killed(&folder, &files, done);
        assert!(!folder.path("out").exists(), "nothing half-made");
        let resumed = folder.import(Format::Klines, &files, &usdm()).unwrap();
        assert_eq!(resumed, whole, "{done} files were done");
        assert_eq!(bytes(&folder), bytes(&expected));
        assert!(!folder.path("out.partial").exists());
        fs::remove_dir_all(folder.path("out")).unwrap();
    }
    // Another import finds nothing of it.
    killed(&folder, &files, 2);
    let other = Options { allow_gaps: true, ..usdm() };
    assert_eq!(folder.import(Format::Klines, &files, &other).unwrap(), whole);
    let again = folder.import(Format::Klines, &files, &usdm()).unwrap_err().to_string();
    assert!(again.ends_with("out: exists already"), "{again}");
}

#[test]
fn a_file_that_changed_since_is_read_again() {
    let folder = Folder::new();
    let files = [folder.file("day0.csv", &bars(0))];
    killed(&folder, &files, 1);
    folder.file("day0.csv", &bars(1));
    let imported = folder.import(Format::Klines, &files, &usdm()).unwrap();
    assert_eq!(imported.tapes[0].first_ns / 1_000_000, 1_746_316_800_000 + 86_400_000 + 60_000);
}

#[test]
fn two_imports_do_not_work_in_one_folder() {
    let folder = Folder::new();
    let files = [folder.file("day0.csv", &bars(0))];
    let _held = staging::Staging::open(&folder.path("out"), "x").unwrap();
    let error = folder.import(Format::Klines, &files, &usdm()).unwrap_err().to_string();
    assert!(error.contains("another import is at work there"), "{error}");
}

/// The run that was left of it holds other prices than the file: they come out, so that the file was not read again.
#[test]
fn what_was_done_is_not_read_again() {
    let folder = Folder::new();
    let files = [folder.file("day0.csv", &bars(0)), folder.file("day1.csv", &bars(1))];
    killed(&folder, &files, 1);
    let other = Folder::new();
    let odd = other.file("day0.csv", &bars(0).replace(",11,5", ",10.5,5"));
    let imported = other.import(Format::Klines, &[odd], &usdm()).unwrap();
    let run = folder.path("out.partial/run-000000.tape");
    fs::copy(other.path("out").join(&imported.tapes[0].file), run).unwrap();
    let odd = |told: &[String]| told.iter().filter(|bar| bar.contains(" 10.5 v ")).count();
    let told = folder.told(Format::Klines, &files, &usdm());
    assert_eq!((odd(&told), told.len()), (1_440, 2_880));
}

/// With other options the same file may say something else.
#[test]
fn what_another_import_had_done_is_read_again() {
    let folder = Folder::new();
    let files = [folder.file("day0.csv", &bars(0)), folder.file("day1.csv", &bars(1))];
    killed(&folder, &files, 1);
    fs::write(folder.path("out.partial/run-000000.tape"), "of the other import").unwrap();
    let other = Options { allow_gaps: true, ..usdm() };
    assert_eq!(folder.told(Format::Klines, &files, &other).len(), 2_880);
}

#[test]
fn what_another_import_had_made_is_no_part_of_the_result() {
    let folder = Folder::new();
    let files = [folder.file("day0.csv", &bars(0))];
    killed(&folder, &files, 1);
    fs::write(folder.path("out.partial/result/usdm_other.tape"), "half").unwrap();
    let imported = folder.import(Format::Klines, &files, &usdm()).unwrap();
    let names = fs::read_dir(folder.path("out")).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<_> = names.collect();
    assert_eq!((imported.tapes.len(), names.len()), (1, 2), "{names:?}");
}

#[test]
fn a_slash_at_the_end_changes_nothing_and_what_is_not_ours_stays() {
    let folder = Folder::new();
    let files = [folder.file("day0.csv", &bars(0))];
    fs::create_dir_all(folder.path("out.partial")).unwrap();
    let mine = folder.file("out.partial/mine", "x");
    let error = folder.import(Format::Klines, &files, &usdm()).unwrap_err().to_string();
    let told = "out.partial: is there and was made by no import: remove or rename it";
    assert!(error.ends_with(told), "{error}");
    assert!(mine.exists());
    fs::remove_file(mine).unwrap();
    let slash = PathBuf::from(format!("{}/", folder.path("out").display()));
    import_to(&slash, Format::Klines, &files, &usdm()).unwrap();
    assert!(folder.path("out/usdm_klines.tape").exists());
    fs::create_dir_all(folder.path("out.partial")).unwrap();
    let mine = folder.file("out.partial/mine", "x");
    assert!(import_to(&slash, Format::Klines, &files, &usdm()).is_err());
    assert!(mine.exists(), "an import that is refused removes nothing");
}
