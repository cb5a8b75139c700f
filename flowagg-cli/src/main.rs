//! The `flowagg` program.

use std::io::IsTerminal;
use std::process::ExitCode;

use flowagg::Screen;
use flowagg::show::Sheet;
use terminal_size::{Height, Width, terminal_size_of};

/// The AWS SDK allocates heavily for each call, on all cores.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("error: cannot start the async runtime: {error}\n"),
            );
            return ExitCode::FAILURE;
        }
    };
    let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    let interactive = stdin.is_terminal() && stderr.is_terminal();
    let mut out = anstream::stdout();
    let mut out = Sheet::new(&mut out, width(stdout.is_terminal(), terminal_size_of(stdout)));
    let mut err = anstream::stderr();
    let mut err = Sheet::new(&mut err, width(stderr.is_terminal(), terminal_size_of(stderr)));
    let mut input = std::io::BufReader::new(std::io::stdin());
    let mut screen = Screen::new(&mut out, &mut err);
    screen.input = Some(&mut input);
    screen.interactive = interactive;
    runtime.block_on(flowagg::run(std::env::args_os(), &mut screen)).into()
}

/// The width of the terminal in columns; `None` without a terminal. As in clap, `COLUMNS` is used only if the terminal does not report its
/// width: an exported `COLUMNS` can be outdated and does not apply to a pipe.
fn width(is_terminal: bool, size: Option<(Width, Height)>) -> Option<usize> {
    match size {
        Some((Width(columns), _)) => Some(columns.into()),
        None if is_terminal => std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0),
        None => None,
    }
}
