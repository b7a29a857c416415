//! `completions`: a script that teaches a shell the commands.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Arguments;
use crate::exit::Exit;
use crate::output;

pub(crate) fn call(shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "eigensweep", &mut script);
    output::write(&script);
    Exit::Success
}
