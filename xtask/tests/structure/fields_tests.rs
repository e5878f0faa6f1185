//! Tests of the finder.

use super::*;

fn found(source: &str) -> Vec<(String, bool)> {
    let aliases = BTreeSet::from(["Folders".to_owned()]);
    let fields = fields(source, &aliases);
    let pair = |field: Field| (field.name, field.is_store);
    fields.into_iter().map(pair).collect()
}

fn stores(source: &str) -> Vec<String> {
    let found = found(source).into_iter();
    found
        .filter_map(|(name, is_store)| is_store.then_some(name))
        .collect()
}

#[test]
fn maps_queues_accounts_and_channels_are_found_at_any_depth_of_a_type() {
    let source = "
        pub(super) struct Table<K, V> where K: Eq {
            #[serde(default)] pub(super) entries: Map<K, Entry<V>>,
            pairs: Arc<Mutex<HashMap<(u8, u16), Vec<u8>>>>,
            count: usize,
            call: Box<dyn Fn(u8, u8) -> u8>,
            queue: Option<(std::collections::VecDeque<u8>, u8)>,
            folders: Folders,
        }";
    assert_eq!(
        stores(source),
        ["Table::folders", "Table::pairs", "Table::queue"]
    );
    let aliases = BTreeSet::from(["Map".to_owned()]);
    let with_map = fields(source, &aliases);
    assert!(with_map.iter().any(|one| one.name == "Table::entries"));
}

#[test]
fn fields_without_a_name_and_those_of_variants_are_found() {
    let source = "
        struct Calls(Mutex<VecDeque<u8>>, u8);
        struct Unit;
        enum State { Idle, Busy { #[a] waiting: VecDeque<u8>, since: Instant }, Full(u8, BTreeSet<u8>) = 3 }
        mod inner { fn f() { struct Local { set: HashSet<u8> } } }";
    let expected = [
        "Calls::0",
        "Local::set",
        "State::Busy::waiting",
        "State::Full::1",
    ];
    assert_eq!(stores(source), expected);
}

#[test]
fn a_vector_counts_if_the_file_makes_it_longer_or_if_it_is_beside_another_collection_or_holds_vectors()
 {
    let source = "
        struct Grown { lines: Vec<u8> } impl Grown { fn f(&mut self) { self.lines.push(1) } }
        struct Fixed { names: Vec<String> }
        struct State { free: Vec<u32>, used: HashMap<u8, u8> }
        struct Sets { sets: Vec<Vec<Entry>> }";
    assert_eq!(
        stores(source),
        ["Grown::lines", "Sets::sets", "State::free", "State::used"]
    );
    assert!(found(source).contains(&("Fixed::names".to_owned(), false)));
}

#[test]
fn what_is_borrowed_or_compiled_for_tests_only_does_not_count() {
    let source = "
        struct View<'a> { all: &'a HashMap<u8, u8> }
        #[cfg(test)] struct Stub { all: HashMap<u8, u8> }
        #[cfg(test)] mod tests { struct Other { all: HashMap<u8, u8> } }
        fn f(all: HashMap<u8, u8>) { let queue: VecDeque<u8> = VecDeque::new(); }";
    assert!(found(source).is_empty());
    assert!(found("#![cfg(test)] struct Stub { all: HashMap<u8, u8> }").is_empty());
}

#[test]
fn a_type_with_another_name_is_a_collection_too() {
    let source = "
        pub(super) type Map<K, V> = HashMap<K, V, Hasher>;
        type Key<P> = (Peer<P>, u64);";
    assert_eq!(aliases(source), ["Map"]);
}
