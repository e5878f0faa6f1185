//! The keys of a map that may have integers beside texts.

use crate::value::Value;

/// Of two keys that are the same, one as text and one as an integer, leaves the text one. The error is a key that
/// occurs twice in the same form. `are_integers` says for each pair whether its key was an integer.
pub(super) fn drop_twins(
    pairs: &mut Vec<(String, Value)>,
    are_integers: &[bool],
) -> Result<(), String> {
    let is_integer = |index: usize| are_integers.get(index).copied().unwrap_or(false);
    // Indices in the order of the keys, as in `repeated_key`.
    let mut sorted: Vec<usize> = Vec::new();
    let mut is_dropped = vec![false; pairs.len()];
    for (index, (key, _)) in pairs.iter().enumerate() {
        match sorted.binary_search_by(|earlier| pairs[*earlier].0.cmp(key)) {
            Err(place) => sorted.insert(place, index),
            Ok(place) => {
                let earlier = sorted[place];
                match (is_integer(earlier), is_integer(index)) {
                    (false, true) => is_dropped[index] = true,
                    (true, false) => {
                        is_dropped[earlier] = true;
                        sorted[place] = index;
                    }
                    _ => return Err(key.clone()),
                }
            }
        }
    }
    let mut index = 0;
    pairs.retain(|_| {
        index += 1;
        !is_dropped[index - 1]
    });
    Ok(())
}
