//! Files and folders of rules that others take the place of, also while the configuration is read again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use coap::code;

use super::rereading::PLACES;
use super::{Device, Manager, Running};
use crate::exchange::request;
use crate::scratch;
use crate::stage::saying;

/// A gateway with a rule `a` whose file is in a folder of its own.
struct Folder {
    manager: Manager,
    _gateway: Running,
    device: Device,
    rules: PathBuf,
    next_id: u16,
}

impl Folder {
    /// Starts a gateway without the rule.
    fn new(test: &str) -> Self {
        let manager = Manager::new(test);
        manager.write("gateway.toml", PLACES);
        let gateway = Running::start(&mut manager.configured());
        let device = Device::new(manager.hear_ready());
        Self {
            manager,
            _gateway: gateway,
            device,
            rules: scratch::folder(&format!("{test}-rules")),
            next_id: 1,
        }
    }

    /// The same, and a reload has brought the rule, which says "one".
    fn serving(test: &str) -> Self {
        let folder = Self::new(test);
        folder.put(&folder.rules, "one");
        folder.configure(&[("a", "a.wasm")]);
        assert_eq!(folder.manager.reload().0, Some(0));
        folder
    }

    /// The rule's file takes the place of the one before it, as in `folder`.
    fn put(&self, folder: &Path, text: &str) {
        let written = folder.join("new");
        fs::write(&written, saying(text)).expect("the folder is the test's");
        fs::rename(&written, folder.join("a.wasm")).expect("the folder is the test's");
    }

    /// Rules with these names and files are configured from the next reload on.
    fn configure(&self, rules: &[(&str, &str)]) {
        let rules = rules.iter().map(|(name, file)| {
            let component = self.rules.join(file).display().to_string();
            format!(
                "[[rule]]\nname = \"{name}\"\ncomponent = \"{component}\"\nallow = [\"GET none standard /needed\"]\n"
            )
        });
        let text: String = [PLACES.to_owned()].into_iter().chain(rules).collect();
        self.manager.write("gateway.toml", &text);
    }

    fn get(&mut self) -> Vec<u8> {
        self.next_id += 1;
        self.device
            .say_as(self.next_id, request(code::GET, "a/test"));
        self.device.message().payload
    }

    /// Waits until the rule says this.
    fn until(&mut self, text: &str) {
        let began = Instant::now();
        while self.get() != text.as_bytes() {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "{text} is never noticed"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_rule_that_a_reload_brings_is_watched_from_then_on() {
    let mut folder = Folder::serving("rereading-watch");
    assert_eq!(folder.get(), b"one");
    folder.put(&folder.rules, "two");
    folder.until("two");
}

#[test]
fn a_file_that_is_replaced_while_a_reload_reads_the_others_is_noticed() {
    let mut folder = Folder::new("rereading-meanwhile");
    folder.put(&folder.rules, "one");
    let mut rules = vec![("a".to_owned(), "a.wasm".to_owned())];
    for number in 0..12 {
        let (name, file) = (format!("b{number}"), format!("b{number}.wasm"));
        fs::write(folder.rules.join(&file), saying(&name)).expect("the folder is the test's");
        rules.push((name, file));
    }
    let rules = rules.iter().map(|(name, file)| (&**name, &**file));
    folder.configure(&rules.collect::<Vec<_>>());
    std::thread::scope(|scope| {
        let reload = scope.spawn(|| folder.manager.reload());
        // The first one has been read by then, as a rule, and the last one has not been compiled.
        std::thread::sleep(Duration::from_millis(150));
        folder.put(&folder.rules, "two");
        let (code, said) = reload.join().expect("it does not panic");
        assert_eq!(code, Some(0), "{said}");
    });
    folder.until("two");
}

#[test]
fn a_folder_that_takes_the_place_of_one_with_rules_is_read_and_watched() {
    let mut folder = Folder::serving("rereading-folder");
    let (next, former) = (
        folder.rules.with_extension("next"),
        folder.rules.with_extension("former"),
    );
    for left in [&next, &former] {
        let _ = fs::remove_dir_all(left);
    }
    fs::create_dir(&next).expect("it is the test's");
    folder.put(&next, "two");
    fs::rename(&folder.rules, &former).expect("it is the test's");
    // Longer than such a thing takes: for a while there is none.
    std::thread::sleep(Duration::from_millis(300));
    fs::rename(&next, &folder.rules).expect("it is the test's");
    folder.until("two");
    folder.put(&folder.rules, "three");
    folder.until("three");
    fs::remove_dir_all(&former).expect("it is the test's");
}

#[test]
fn a_folder_that_comes_back_as_it_was_leaves_an_operators_swap_alone() {
    let mut folder = Folder::serving("rereading-back");
    folder.manager.write("swap.wasm", saying("swapped"));
    let (code, said) = folder.manager.rules(&["swap", "a", "swap.wasm"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(folder.get(), b"swapped");
    let aside = folder.rules.with_extension("aside");
    fs::rename(&folder.rules, &aside).expect("it is the test's");
    fs::rename(&aside, &folder.rules).expect("it is the test's");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(folder.get(), b"swapped");
    // It is watched still.
    folder.put(&folder.rules, "two");
    folder.until("two");
}
