//! The manual pages and the shells' completions, from the command line's own description. The gateway itself carries neither: a
//! router has no use for them.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use comatrix_host::cli::Cli;

/// The program.
const NAME: &str = "comatrix-gateway";

/// What a person looks for in a manual and clap does not know.
const REST: &str = ".SH FILES
.TP
.I /etc/comatrix/gateway.toml
The configuration of the Debian package; the README lists the settings.
.TP
.I /etc/comatrix/secrets/
Files that systemd hands to the gateway.
.TP
.I /run/comatrix/control.sock
Where \\fBcomatrix\\-gateway rules \\-\\-control\\-socket\\fR reaches the gateway of the Debian package.
.SH SIGNALS
.TP
.B SIGHUP
The configuration is read again, with every file that it names, whole or not at all; the log says what was refused.
.TP
.B SIGTERM, SIGINT
New requests are refused, or wait for the next gateway where systemd holds the socket; running ones end.
.SH EXIT STATUS
.TP
.B 0
It was told to end.
.TP
.B 1
It could not go on.
.TP
.B 2
The command line or the configuration cannot work; what to change is said.
";

/// Writes the manual pages, one per command, and the completions of bash, zsh and fish into `folder`.
///
/// # Errors
/// The system's, of writing.
pub fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    // `help` is clap's own and has nothing to say in a manual.
    let command = || Cli::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command(), folder)?;
    let page = folder.join(format!("{NAME}.1"));
    let text = fs::read_to_string(&page)? + REST;
    fs::write(page, text)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command(), NAME, folder)?;
    }
    Ok(())
}
