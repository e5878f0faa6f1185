//! Functions that a component exports. Their types are compared once, and not at each call.

use std::marker::PhantomData;

use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower, TypedFunc,
};
use wasmtime::{Store, format_err};

use super::CallState;

/// A function of the contract: its name, and the Rust types of its parameters and result.
pub(crate) trait Signature {
    const NAME: &'static str;
    type Params<'a>: ComponentNamedList + Lower;
    type Output: Lift;
}

/// An export of one component whose type is that of its signature.
pub(crate) struct Function<S> {
    export: ComponentExportIndex,
    signature: PhantomData<fn(S)>,
}

impl<S> Clone for Function<S> {
    fn clone(&self) -> Self {
        Self {
            export: self.export,
            signature: PhantomData,
        }
    }
}

impl<S: Signature> Function<S>
where
    (S::Output,): ComponentNamedList + Lift,
{
    /// Finds the function in an interface that the component exports, and compares its type in an instance.
    pub(crate) fn find(
        component: &Component,
        interface: &ComponentExportIndex,
        instance: &Instance,
        store: &mut Store<CallState>,
    ) -> wasmtime::Result<Self> {
        let export = component
            .get_export_index(Some(interface), S::NAME)
            .ok_or_else(|| format_err!("it exports no {}", S::NAME))?;
        instance.get_typed_func::<S::Params<'_>, (S::Output,)>(store, &export)?;
        Ok(Self {
            export,
            signature: PhantomData,
        })
    }

    /// The function of another instance of the same component. To compare its type again would take 6 % of the time of
    /// a small exchange.
    #[allow(unsafe_code)]
    pub(crate) fn of<'a>(
        &self,
        instance: &Instance,
        store: &mut Store<CallState>,
    ) -> wasmtime::Result<TypedFunc<S::Params<'a>, (S::Output,)>> {
        let function = instance
            .get_func(store, self.export)
            .ok_or_else(|| format_err!("{} is of another component", S::NAME))?;
        // SAFETY: the function must have these types. `find`, the only way to make a `Function`, has compared them for
        // this export; an export index names its component, so that `get_func` finds nothing in an instance of another
        // one; and the contract has no resources, whose types alone could differ between instances of one component.
        Ok(unsafe { TypedFunc::new_unchecked(function) })
    }
}
