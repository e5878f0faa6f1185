//! The authorities that vouch for devices with certificates (`ca_file` of `[coaps]`), and what becomes of the logins of
//! such devices when one of them does so no longer.
//!
//! The name of such a device is what an authority has written into its certificate. The logins of the gateway belong to
//! names. So a login must not outlive the trust in the authority that gave its name: another authority could give the
//! name to another device. Which authorities there were is in the store, because the file may change while the gateway
//! is stopped.

use secure::dtls::{Authorities, Fingerprint};
use store::database::Batch;

use super::enrolled::Devices;
use super::trusted_record;
use crate::telemetry::operator;

impl Devices {
    /// From now on these authorities vouch for devices. If one of the former ones is not among them, the logins of all
    /// devices that are not enrolled are forgotten: which authority has named each is not known. They log in again.
    pub(crate) fn trust(&self, authorities: &Authorities) {
        let now = authorities.fingerprints();
        let former = self.0.trusted.replace(now.clone());
        if former == now {
            return;
        }
        let mut batch = Batch::new();
        let is_trusted = |one: &Fingerprint| now.contains(one);
        if !former.iter().all(is_trusted) {
            let table = self.0.table.borrow();
            let sessions = &self.0.sessions;
            let forgotten = sessions.forget_others(|name| table.contains_key(name), &mut batch);
            if forgotten > 0 {
                tracing::info!(
                    target: operator::TARGET,
                    "ca_file of [coaps] has lost an authority: {forgotten} logins of devices with certificates are \
                     forgotten; those that are still trusted log in again"
                );
            }
        }
        trusted_record::put(&now, &mut batch);
        // In one step. If the disk does not take it, the next start finds the former authorities, and does it again.
        drop(self.0.database.commit_unsynced(batch));
    }
}
