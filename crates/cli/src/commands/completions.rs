//! `completions`: a script that teaches a shell the commands.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Arguments;
use crate::exit::Exit;

pub(crate) fn call(shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "eigensweep", &mut script);
    super::table::print_bytes(&script);
    Exit::Success
}
