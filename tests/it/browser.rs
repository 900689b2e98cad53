//! The HTML report in a real browser: Chromium without a window opens it, complains about nothing, and draws what the
//! reference in `tests/screenshot` shows.
//!
//! Pictures differ by fonts and by how lines are smoothed, so not their bytes are compared but the average colours of
//! small squares. Without Chromium the test says loudly that it skips, and fails where `CI` is set.
//! `FUSEWIRE_SCREENSHOT=write` writes the reference again.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fusewire_tests::{fusewire, say_loudly};

/// The window: from the headline down to the first chart of fills.
const WIDTH: usize = 1_120;
const HEIGHT: usize = 2_000;
/// Side of a square whose average colour is compared, in pixels.
const SQUARE: usize = 20;
/// Two colours are alike when no channel is further apart.
const CHANNEL_MAX: u8 = 24;
/// So many of a thousand squares may differ: text is wider or narrower in another font.
const DIFFERENT_PER_MILLE_MAX: usize = 40;
/// Least pixels in the colour of a curve; one across the page has about a thousand.
const CURVE_PIXELS_MIN: usize = 400;
/// Colours of the curves in `style.css`: equity, and drawdown.
const CURVES: [[u8; 3]; 2] = [[0x1c, 0x5f, 0xa8], [0xb3, 0x26, 0x1e]];

/// A picture, three bytes a pixel.
struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    fn read(path: &Path) -> Self {
        let mut decoder = png::Decoder::new(BufReader::new(File::open(path).unwrap()));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        let samples = info.color_type.samples();
        assert!(samples >= 3, "a picture in colour");
        let pixels =
            bytes[..info.buffer_size()].chunks_exact(samples).flat_map(|p| [p[0], p[1], p[2]]);
        let (width, height) = (info.width as usize, info.height as usize);
        Self { width, height, pixels: pixels.collect() }
    }

    fn write(&self, path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = BufWriter::new(File::create(path).unwrap());
        let size = (u32::try_from(self.width).unwrap(), u32::try_from(self.height).unwrap());
        let mut encoder = png::Encoder::new(file, size.0, size.1);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header().unwrap().write_image_data(&self.pixels).unwrap();
    }

    fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 3;
        [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]]
    }

    /// One pixel for each square: its average colour.
    fn squares(&self) -> Self {
        let (width, height) = (self.width / SQUARE, self.height / SQUARE);
        let average = |x: usize, y: usize, channel: usize| {
            let sum: usize = (0..SQUARE * SQUARE)
                .map(|n| self.pixel(x * SQUARE + n % SQUARE, y * SQUARE + n / SQUARE)[channel])
                .map(usize::from)
                .sum();
            u8::try_from(sum / (SQUARE * SQUARE)).unwrap()
        };
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let pixels = places.flat_map(|(x, y)| [0, 1, 2].map(|channel| average(x, y, channel)));
        Self { width, height, pixels: pixels.collect() }
    }

    /// Squares of a thousand that are of another colour.
    fn different_per_mille(&self, other: &Self) -> usize {
        assert_eq!((self.width, self.height), (other.width, other.height), "pictures of one size");
        let all = self.width * self.height;
        let differs = |n: &usize| {
            !alike(
                self.pixel(n % self.width, n / self.width),
                other.pixel(n % self.width, n / self.width),
            )
        };
        (0..all).filter(differs).count() * 1_000 / all
    }

    /// Pixels of about this colour.
    fn count(&self, colour: [u8; 3]) -> usize {
        self.pixels.chunks_exact(3).filter(|p| alike([p[0], p[1], p[2]], colour)).count()
    }
}

fn alike(one: [u8; 3], other: [u8; 3]) -> bool {
    one.iter().zip(other).all(|(one, other)| one.abs_diff(other) <= CHANNEL_MAX)
}

/// The browser; none, said loudly, where there is none and nobody insists on it.
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).flat_map(|folder| {
        ["chromium", "chromium-browser", "google-chrome"].map(|name| folder.join(name))
    });
    let found = found.into_iter().find(|program| program.is_file());
    if found.is_none() {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "there is no Chromium: apt-get install chromium"
        );
        say_loudly("SKIPPED browser tests: install chromium");
    }
    found
}

/// Opens a page; what it says on its console, and what it looks like.
fn open(browser: &Path, page: &Path) -> (Vec<String>, Picture) {
    let profile = tempfile::tempdir().unwrap();
    let shot = profile.path().join("shot.png");
    let mut command = Command::new(browser);
    command.args(["--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]);
    command.args(["--force-color-profile=srgb", "--force-device-scale-factor=1"]);
    // As root, which CI often is, Chromium has no sandbox; the page is our own and has no script.
    command.args(["--no-sandbox", "--disable-dev-shm-usage", "--enable-logging=stderr", "--v=0"]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.arg(format!("--window-size={WIDTH},{HEIGHT}"));
    command.arg(format!("--screenshot={}", shot.display()));
    command.arg(format!("file://{}", page.display()));
    let output = command.stdin(Stdio::null()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && shot.is_file(), "{stderr}");
    let console = stderr.lines().filter(|line| line.contains("CONSOLE"));
    (console.map(str::to_owned).collect(), Picture::read(&shot))
}

/// The page of the embedded sample, in a folder.
fn sample(folder: &Path) -> PathBuf {
    let page = folder.join("sample.html");
    let output = fusewire(&[
        "replay",
        "--json",
        "--strategy",
        "quoter,taker",
        "--report",
        page.to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    page
}

/// The page with some of it taken out: from each of one mark to the next of the other.
fn without(page: &str, from: &str, to: &str) -> String {
    let mut parts = page.split(from);
    let mut left = parts.next().unwrap().to_owned();
    for part in parts {
        let (_, rest) = part.split_once(to).unwrap();
        left += rest;
    }
    left
}

/// Issue 7, proof: charts drawn, no console error, screenshot compared. The same page without its charts, and one with
/// frames but without curves, do not pass.
#[test]
fn the_report_opens_in_a_browser_and_looks_as_it_should() {
    let Some(browser) = chromium() else { return };
    let folder = tempfile::tempdir().unwrap();
    let page = sample(folder.path());
    let (console, picture) = open(&browser, &page);
    assert!(console.is_empty(), "{console:?}");
    assert_eq!((picture.width, picture.height), (WIDTH, HEIGHT));
    let seen = picture.squares();
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshot/report.png");
    if std::env::var_os("FUSEWIRE_SCREENSHOT").is_some_and(|what| what == "write") {
        seen.write(&reference);
    }
    let reference = Picture::read(&reference);
    let different = seen.different_per_mille(&reference);
    assert!(different <= DIFFERENT_PER_MILLE_MAX, "{different} of 1000 squares differ");
    for colour in CURVES {
        let drawn = picture.count(colour);
        assert!(drawn >= CURVE_PIXELS_MIN, "{drawn} pixels of {colour:x?}");
    }
    let text = fs::read_to_string(&page).unwrap();
    fs::write(&page, without(&text, "<svg ", "</svg>")).unwrap();
    let (_, bare) = open(&browser, &page);
    let different = bare.squares().different_per_mille(&reference);
    assert!(
        different > DIFFERENT_PER_MILLE_MAX,
        "without charts {different} of 1000 squares differ"
    );
    fs::write(&page, without(&text, "<polyline ", "/>")).unwrap();
    let (_, empty) = open(&browser, &page);
    assert!(empty.count(CURVES[0]) < CURVE_PIXELS_MIN, "frames without curves");
}

/// The look at the console is one that finds something.
#[test]
fn an_error_on_the_console_is_seen() {
    let Some(browser) = chromium() else { return };
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("bad.html");
    fs::write(&page, "<!DOCTYPE html><script>console.error('planted')</script>").unwrap();
    let (console, _) = open(&browser, &page);
    assert!(console.iter().any(|line| line.contains("planted")), "{console:?}");
}
