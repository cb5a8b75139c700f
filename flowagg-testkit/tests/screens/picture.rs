//! The picture of a terminal for the README, made of what the real program writes in one.

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

/// As wide as the README has room for.
const COLUMNS: u16 = 112;
/// In pixels, with room for a font that is wider than the one that the picture is measured with.
const WIDTH: usize = 980;

/// The colours of a picture: those of the page that it is on.
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

/// What stands in a terminal in the end, with the styles in which it stands there.
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
async fn the_picture_of_the_readme_shows_what_the_program_writes() {
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
        // What is dim is to be read all the same.
        let picture = picture.render_svg(&session).replace("opacity: 0.4", "opacity: 0.75");
        is_kept(&docs.join(format!("terminal-{theme}.svg")), &picture);
    }
}
