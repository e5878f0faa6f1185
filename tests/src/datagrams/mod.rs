//! Cases of datagrams: what devices send and what the real gateway must send back, line by line in a text file.
//!
//! | line | meaning |
//! | --- | --- |
//! | `# …` | comment |
//! | `config LINE` | a line of the gateway's configuration file; before all others |
//! | `homeserver takes 1.6 s` | from now on for each `/send` |
//! | `room says TEXT` | somebody else writes in the room `kitchen` |
//! | `gateway ARGUMENTS` | more arguments of the gateway's command line; before all others |
//! | `N times LINE` | the line N times; `##` is its number from 1: two hex digits in a datagram, else decimal |
//! | `room has TEXT` | the last message of the room |
//! | `sent N` | by now the homeserver has N messages of devices |
//! | `wait 2 s` | nothing happens |
//! | `device > HEX` | this datagram leaves; `$name` stands for bound bytes |
//! | `device > TYPE CODE …` | the same in words, see [`words`] |
//! | `device < PATTERN` | the next datagram, see [`pattern`] |
//! | `device << PATTERN` | a later one; those before it are passed over |
//! | `device < nothing within 2 s` | no datagram |
//! | `device is silent` | from now on it acknowledges nothing and responds to no ping |
//! | `device responds to pings with ACK` | instead of RST, as RIOT's nanocoap_sock |
//! | `device responds with 4.04` | to every confirmable message, as CoAP-simple |
//! | `device resets TOKEN` | from now on it responds with RST to messages with this token (hex) |
//! | `device acknowledges` | it acknowledges all again |
//!
//! Every word `device…` names a device with a socket of its own. A device acknowledges confirmable responses, responds
//! to pings with RST, and passes over pings, retransmissions and empty acknowledgements.

pub mod client;
pub mod line;
pub mod pattern;
pub mod replay;
pub mod words;
