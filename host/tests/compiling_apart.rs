//! Components that are compiled in a process of their own: its resources are bounded, and its memory is gone with
//! it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use runtime::DEFAULT_RULE;
use runtime::{CompileLimits, Compiler, Engine, Engines, Revision, RuleLimits};

use crate::captured::Captured;
use crate::default_rule::{activate_rule, limits};
use crate::rule_text::RuleText;

/// The component as a rule, compiled by `compiler`; or why it is none.
fn activated(compiler: Compiler, component: &[u8], limits: RuleLimits) -> Result<Revision, String> {
    let engines = Engines::compiling(compiler).unwrap_or_else(|error| panic!("{error}"));
    let settings = BTreeMap::new();
    activate_rule(&engines, None, "a", component, settings, limits)
        .map_err(|error| error.to_string())
}

fn apart(limits: CompileLimits) -> Compiler {
    Compiler::apart(Path::new(env!("CARGO_BIN_EXE_comatrix-gateway")), limits)
}

#[test]
fn a_rule_compiled_apart_serves_in_both_sizes() {
    let large = RuleLimits {
        memory: Engine::MAX_MEMORY,
        ..limits()
    };
    for limits in [limits(), large] {
        let component = RuleText::new().component();
        let revision = activated(apart(CompileLimits::default()), &component, limits);
        let revision = revision.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(revision.description().links.len(), 1);
    }
}

#[test]
fn a_component_that_takes_too_much_time_or_memory_to_compile_is_refused_with_the_remedy() {
    let default = CompileLimits::default();
    let (cpu, memory) = (Duration::from_millis(100), 8 << 20);
    for (limits_of_it, beyond) in [
        (CompileLimits { cpu, ..default }, "100 ms of CPU time"),
        (
            CompileLimits { memory, ..default },
            "8388608 bytes of memory",
        ),
    ] {
        let began = Instant::now();
        let Err(error) = activated(apart(limits_of_it), DEFAULT_RULE, limits()) else {
            panic!("it was compiled within {beyond}")
        };
        for part in ["rule a: ", beyond, "build it smaller"] {
            assert!(error.contains(part), "{part:?} is not in {error}");
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{beyond}");
    }
}

#[test]
fn bytes_that_are_no_component_are_refused_in_the_compilers_own_words() {
    let of = |compiler| {
        let refused = activated(compiler, b"not a component", limits());
        refused.err().expect("it is none")
    };
    let apart = of(apart(CompileLimits::default()));
    assert_eq!(apart, of(Compiler::default()));
}

#[test]
fn where_no_process_can_be_started_rules_are_compiled_all_the_same() {
    let captured = Captured::start();
    let nowhere = Compiler::apart(Path::new("/nowhere"), CompileLimits::default());
    assert!(activated(nowhere, &RuleText::new().component(), limits()).is_ok());
    let said = captured.text();
    assert!(said.contains("/nowhere does not start"), "{said}");
}
