//! The manual pages and the shells' completions, made from the definition of the command line. The gateway does not
//! contain them: a router does not need them.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use comatrix_host::cli::Cli;

/// The program.
const NAME: &str = "comatrix-gateway";

/// Sections of a manual page that clap does not have.
const REST: &str = ".SH FILES
.TP
.I /etc/comatrix/gateway.toml
The configuration of the Debian package; /usr/share/doc/comatrix-gateway/manual.md lists the settings.
.TP
.I /etc/comatrix/secrets/
Files with secrets that systemd passes to the gateway.
.TP
.I /run/comatrix/control.sock
The control socket of the Debian package's gateway, for \\fBcomatrix\\-gateway rules \\-\\-control\\-socket\\fR.
.SH SIGNALS
.TP
.B SIGHUP
Reads the configuration and all files that it names again. If a value is invalid, nothing changes, and the log has the
reason.
.TP
.B SIGTERM, SIGINT
Stops the gateway after the requests in progress. It refuses new requests; if systemd holds the socket, they wait for
the next gateway.
.SH EXIT STATUS
.TP
.B 0
The gateway has stopped after a signal.
.TP
.B 1
A failure has stopped the gateway.
.TP
.B 2
The command line or the configuration is invalid; the message has the reason and the remedy.
";

/// Writes the manual pages, one per command, and the completions of bash, zsh and fish into `folder`.
///
/// # Errors
/// The system's, of writing.
pub fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    // The `help` command needs no manual page.
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
