//! The pictures of a terminal in the README, generated from the real program's output.

use std::fmt::Write as _;
use std::path::Path;

use anstyle::{AnsiColor, Color, RgbColor, Style};
use anstyle_svg::{Term, VGA};
use flowagg_testkit::emulator::Emulator;
use flowagg_testkit::world::World;
use jiff::Timestamp;

use crate::is_kept;
use crate::paper::Paper;
use crate::terminal::{Run, Shown, Width};

/// The width that the README has space for.
const COLUMNS: u16 = 112;
/// Width in pixels, with space for a wider font than the one used for measuring.
const WIDTH: usize = 980;

/// The colours of a picture, which match the page.
struct Theme {
    ink: RgbColor,
    paper: RgbColor,
    green: RgbColor,
}

const THEMES: [(&str, Theme); 2] = [
    (
        "light",
        Theme {
            ink: RgbColor(0x1f, 0x23, 0x28),
            paper: RgbColor(0xf6, 0xf8, 0xfa),
            green: RgbColor(0x1a, 0x7f, 0x37),
        },
    ),
    (
        "dark",
        Theme {
            ink: RgbColor(0xe6, 0xed, 0xf3),
            paper: RgbColor(0x15, 0x1b, 0x23),
            green: RgbColor(0x3f, 0xb9, 0x50),
        },
    ),
];

/// The final contents of a terminal, with styles.
fn styled(shown: &Shown) -> String {
    let terminal = shown.terminal();
    let screen = terminal.screen();
    let mut text = String::new();
    for (number, row) in screen.rows(0, COLUMNS).enumerate() {
        let mut column = 0;
        let length = row.trim_end().chars().count();
        while column < length {
            let cell = |column: usize| {
                screen.cell(u16::try_from(number).unwrap(), u16::try_from(column).unwrap()).unwrap()
            };
            let style = style(cell(column));
            let end = (column..length).find(|at| self::style(cell(*at)) != style).unwrap_or(length);
            let words: String = (column..end)
                .map(|at| match cell(at).contents() {
                    "" => " ",
                    sign => sign,
                })
                .collect();
            let _ = write!(text, "{style}{words}{style:#}");
            column = end;
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}

fn style(cell: &vt100::Cell) -> Style {
    let style = if cell.bold() { Style::new().bold() } else { Style::new() };
    let style = if cell.dim() { style.dimmed() } else { style };
    match cell.fgcolor() {
        vt100::Color::Idx(index) => {
            let colours = [AnsiColor::Black, AnsiColor::Red, AnsiColor::Green, AnsiColor::Yellow];
            style.fg_color(Some(Color::Ansi(colours[usize::from(index)])))
        }
        _ => style,
    }
}

#[tokio::test]
async fn readme_picture_shows_the_programs_output() {
    let mut world = World::new(Emulator::shared().unwrap()).await.unwrap();
    for name in ["payments", "shop"] {
        world.member(name, 1).await.unwrap();
    }
    let run = Run::of(&world);
    let (prompt, terminal) = (Style::new().bold(), Width::Columns(COLUMNS));
    let mut session = String::new();
    for words in ["apply", "verify"] {
        if words == "verify" {
            world.deliver(Timestamp::now()).await.unwrap();
        }
        let shown = run.clone().typing("y\n").flowagg(words, terminal).await.exits(0);
        let _ = write!(session, "{prompt}$ flowagg {words}{prompt:#}\n{}\n\n", styled(&shown));
    }
    let session = Paper::of(&world).on_paper(session.trim_end());
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for (theme, Theme { ink, paper, green }) in THEMES {
        let mut palette = VGA;
        palette.0[2] = green;
        let picture = Term::new()
            .min_width_px(WIDTH)
            .palette(palette)
            .fg_color(Color::Rgb(ink))
            .bg_color(Color::Rgb(paper));
        // Dimmed text must stay readable.
        let picture = picture.render_svg(&session).replace("opacity: 0.4", "opacity: 0.75");
        is_kept(&docs.join(format!("terminal-{theme}.svg")), &picture);
    }
}
