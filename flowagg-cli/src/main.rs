//! The `flowagg` program.

use std::io::IsTerminal;
use std::process::ExitCode;

use flowagg::Screen;

/// The SDK allocates much for each call, on all cores.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("error: no runtime: {error}\n"),
            );
            return ExitCode::FAILURE;
        }
    };
    let interactive = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let mut out = anstream::stdout();
    let mut err = anstream::stderr();
    let mut screen = Screen { out: &mut out, err: &mut err, interactive, events: false };
    runtime.block_on(flowagg::run(std::env::args_os(), &mut screen)).into()
}
