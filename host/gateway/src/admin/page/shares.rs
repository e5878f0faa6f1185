//! The part of the page about what each host takes.

use maud::{Markup, html};

use crate::admin::status::{HOSTS, Status};
use crate::admin::wording::grouped;

/// Empty without shares.
pub(super) fn shares(status: &Status) -> Markup {
    html! {
        section id="shares" data-live {
            @if !status.shares.is_empty() {
                h2 { "Shares by host" }
                table {
                    thead {
                        tr {
                            th scope="col" { "host" }
                            th.right scope="col" { "bytes" }
                            th.right scope="col" { "observations" }
                            th.right.wide scope="col" { "in progress" }
                        }
                    }
                    tbody {
                        @for share in status.shares.iter().take(HOSTS) {
                            tr {
                                td { (share.host) }
                                td.right { (grouped(share.bytes)) }
                                td.right { (grouped(share.observations)) }
                                td.right.wide { (grouped(share.exchanges)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::status::HostShare;

    #[test]
    fn ten_hosts_are_shown_and_without_shares_nothing() {
        let mut status = Status::default();
        assert!(!shares(&status).into_string().contains("Shares"));
        let share = |host: u32| HostShare {
            host: format!("192.0.2.{host}"),
            bytes: 1_048_576,
            ..HostShare::default()
        };
        status.shares = (0..20).map(share).collect();
        let page = shares(&status).into_string();
        assert_eq!(page.matches("192.0.2.").count(), HOSTS);
        assert!(page.contains("1,048,576"), "{page}");
    }
}
