//! c
/// x
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateRefusal {
    /// The certificate is outside of its validity.
    #[error("it expired")]
    Expired,
}
