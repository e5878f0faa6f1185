//! The functions of the contract that a component exports.

use wasmtime::component::{Component, ComponentExportIndex};

/// The interface that every rule exports.
const TRANSLATOR: &str = "comatrix:gateway/translator@0.1.0";

/// Where a component's functions are. Found once: a lookup by name in each call would cost more than the
/// translation of a small request.
#[derive(Clone)]
pub(super) struct Exports {
    pub(super) describe: ComponentExportIndex,
    pub(super) begin: ComponentExportIndex,
    pub(super) resume: ComponentExportIndex,
}

impl Exports {
    /// Finds them by name; their types are checked when they are called.
    pub(super) fn find(component: &Component) -> wasmtime::Result<Self> {
        let missing = |name: &str| wasmtime::format_err!("it exports no {name}");
        let translator = component
            .get_export_index(None, TRANSLATOR)
            .ok_or_else(|| missing(TRANSLATOR))?;
        let function = |name: &str| {
            component
                .get_export_index(Some(&translator), name)
                .ok_or_else(|| missing(name))
        };
        Ok(Self {
            describe: function("describe")?,
            begin: function("begin")?,
            resume: function("resume")?,
        })
    }
}
