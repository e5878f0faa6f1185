//! The curve P-256, with x-coordinates as EDHOC sends them (RFC 9528 §3.7).

use p256::elliptic_curve::point::{AffineCoordinates, DecompressPoint};
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{AffinePoint, PublicKey, SecretKey};
use zeroize::Zeroizing;

/// Bytes of a coordinate and of a private key.
pub(super) const ELEMENT: usize = 32;

/// The point with this x-coordinate and the even y-coordinate; none for about half of all numbers, which are off the
/// curve. Which of the two points it is makes no difference to the x-coordinate of a shared secret.
fn point(x: &[u8; ELEMENT]) -> Option<PublicKey> {
    let point: Option<AffinePoint> = AffinePoint::decompress(x.into(), 0.into()).into();
    PublicKey::try_from(point?).ok()
}

/// Whether this is the x-coordinate of a point on the curve.
pub(super) fn is_on_curve(x: &[u8; ELEMENT]) -> bool {
    point(x).is_some()
}

/// The shared secret of a private key and a public one; none if either is not valid.
pub(super) fn shared_secret(
    private: &[u8; ELEMENT],
    x: &[u8; ELEMENT],
) -> Option<Zeroizing<[u8; ELEMENT]>> {
    let private = SecretKey::from_slice(private).ok()?;
    let shared = private.diffie_hellman(&point(x)?);
    Some(Zeroizing::new((*shared.raw_secret_bytes()).into()))
}

/// The coordinates of the public key; none if the private key is 0 or above the order of the curve.
pub(super) fn public_key(private: &[u8; ELEMENT]) -> Option<([u8; ELEMENT], [u8; ELEMENT])> {
    let public = SecretKey::from_slice(private).ok()?.public_key();
    Some(coordinates(&public))
}

fn coordinates(public: &PublicKey) -> ([u8; ELEMENT], [u8; ELEMENT]) {
    let point = public.as_affine();
    (point.x().into(), point.y().into())
}

/// The coordinates of a public key in one of its usual forms: the x-coordinate alone, or SEC 1 §2.3.3, compressed or
/// not. The x-coordinate alone has no y-coordinate.
pub(super) fn parse(key: &[u8]) -> Option<([u8; ELEMENT], Option<[u8; ELEMENT]>)> {
    if let Ok(x) = <[u8; ELEMENT]>::try_from(key) {
        return is_on_curve(&x).then_some((x, None));
    }
    let public = PublicKey::from_sec1_bytes(key).ok()?;
    // A point in its hybrid form would pass too.
    let (x, y) = coordinates(&public);
    let is_usual = [true, false]
        .iter()
        .any(|compressed| public.to_sec1_point(*compressed).as_bytes() == key);
    is_usual.then_some((x, Some(y)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edhoc::tests::trace;

    #[test]
    fn both_sides_of_the_trace_have_the_same_secret() {
        let (x, y) = (trace::bytes32(trace::X), trace::bytes32(trace::Y));
        let (g_x, _) = public_key(&x).unwrap();
        let (g_y, _) = public_key(&y).unwrap();
        assert_eq!(g_y, trace::bytes32(trace::G_Y));
        assert_eq!(shared_secret(&x, &g_y), shared_secret(&y, &g_x));
        assert_eq!(
            *shared_secret(&x, &g_y).unwrap(),
            trace::bytes32(trace::G_XY)
        );
    }

    #[test]
    fn half_of_all_numbers_are_no_point_and_neither_are_keys_without_value() {
        let on_curve = (0..=255).filter(|first| {
            let mut x = [7; ELEMENT];
            x[0] = *first;
            is_on_curve(&x)
        });
        assert!((90..166).contains(&on_curve.count()));
        assert!(!is_on_curve(&[0xff; ELEMENT]));
        for private in [[0; ELEMENT], [0xff; ELEMENT]] {
            assert_eq!(public_key(&private), None);
            assert_eq!(shared_secret(&private, &trace::bytes32(trace::G_Y)), None);
        }
        assert_eq!(shared_secret(&[1; ELEMENT], &[0xff; ELEMENT]), None);
    }

    #[test]
    fn a_public_key_is_read_in_each_of_its_forms() {
        let (x, y) = public_key(&trace::bytes32(trace::X)).unwrap();
        let sign = 2 + (y[ELEMENT - 1] & 1);
        assert_eq!(parse(&x), Some((x, None)));
        assert_eq!(parse(&[&[sign][..], &x].concat()), Some((x, Some(y))));
        assert_eq!(parse(&[&[4][..], &x, &y].concat()), Some((x, Some(y))));
        for wrong in [
            &[][..],
            &[0],
            &x[1..],
            &[&[4][..], &x, &x].concat(),
            &[&[5][..], &x].concat(),
            &[&[6 + (y[ELEMENT - 1] & 1)][..], &x, &y].concat(),
        ] {
            assert_eq!(parse(wrong), None, "{wrong:02x?}");
        }
    }
}
