//! The functions of the contract that a component exports.

use wasmtime::component::{Component, ComponentExportIndex};

/// The interface that every rule exports.
const TRANSLATOR: &str = "comatrix:gateway/translator@0.1.0";
/// The one that a rule with observable resources exports besides.
const OBSERVER: &str = "comatrix:gateway/observer@0.1.0";

/// Where a component's functions are. Found once: a lookup by name in each call would cost more than the
/// translation of a small request.
#[derive(Clone)]
pub(super) struct Exports {
    pub(super) describe: ComponentExportIndex,
    pub(super) begin: ComponentExportIndex,
    pub(super) resume: ComponentExportIndex,
    pub(super) observer: Option<Observer>,
}

/// The functions of a rule that observes.
#[derive(Clone)]
pub(super) struct Observer {
    pub(super) poll: ComponentExportIndex,
    pub(super) polled: ComponentExportIndex,
    pub(super) notify: ComponentExportIndex,
}

impl Exports {
    /// Finds them by name; their types are checked when they are called.
    pub(super) fn find(component: &Component) -> wasmtime::Result<Self> {
        let missing = |name: &str| wasmtime::format_err!("it exports no {name}");
        let translator = component
            .get_export_index(None, TRANSLATOR)
            .ok_or_else(|| missing(TRANSLATOR))?;
        let function = |interface: &ComponentExportIndex, name: &str| {
            component
                .get_export_index(Some(interface), name)
                .ok_or_else(|| missing(name))
        };
        let observer = component.get_export_index(None, OBSERVER);
        let observer = observer.map(|observer| {
            Ok::<_, wasmtime::Error>(Observer {
                poll: function(&observer, "poll")?,
                polled: function(&observer, "polled")?,
                notify: function(&observer, "notify")?,
            })
        });
        Ok(Self {
            describe: function(&translator, "describe")?,
            begin: function(&translator, "begin")?,
            resume: function(&translator, "resume")?,
            observer: observer.transpose()?,
        })
    }
}
