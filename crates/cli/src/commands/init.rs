//! `init`: a commented job to begin with.

use eigensweep_job::keys::Shown;

use crate::args::Init;
use crate::exit::Exit;

pub(crate) fn call(arguments: &Init) -> Exit {
    let shown = match (arguments.minimal, arguments.full) {
        (true, _) => Shown::Minimal,
        (false, false) => Shown::Common,
        (false, true) => Shown::Full,
    };
    crate::output::write(eigensweep_job::commented(shown).as_bytes());
    Exit::Success
}
