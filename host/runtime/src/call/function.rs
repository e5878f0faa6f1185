//! Functions that a component exports, checked once and then called without a further look at their types.

use std::marker::PhantomData;

use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower, TypedFunc,
};
use wasmtime::{Store, format_err};

use super::CallState;

/// A function of the contract: its name, and the types that stand for those of `wit/`.
pub(crate) trait Signature {
    const NAME: &'static str;
    type Params<'a>: ComponentNamedList + Lower;
    type Answer: Lift;
}

/// An export of one component that has been found to have its signature's type.
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
    (S::Answer,): ComponentNamedList + Lift,
{
    /// Finds the function in an interface that the component exports, and compares its type by way of an instance.
    pub(crate) fn find(
        component: &Component,
        interface: &ComponentExportIndex,
        instance: &Instance,
        store: &mut Store<CallState>,
    ) -> wasmtime::Result<Self> {
        let export = component
            .get_export_index(Some(interface), S::NAME)
            .ok_or_else(|| format_err!("it exports no {}", S::NAME))?;
        instance.get_typed_func::<S::Params<'_>, (S::Answer,)>(store, &export)?;
        Ok(Self {
            export,
            signature: PhantomData,
        })
    }

    /// The function of another instance of the same component. To compare its type again would take 6 % of a small
    /// exchange.
    #[allow(unsafe_code)]
    pub(crate) fn of<'a>(
        &self,
        instance: &Instance,
        store: &mut Store<CallState>,
    ) -> wasmtime::Result<TypedFunc<S::Params<'a>, (S::Answer,)>> {
        let function = instance
            .get_func(store, self.export)
            .ok_or_else(|| format_err!("{} is of another component", S::NAME))?;
        // SAFETY: the function must have these types. `find`, the only way to make a `Function`, has compared them for
        // this export; an export index names its component, so that `get_func` finds nothing in an instance of another
        // one; and the contract has no resources, whose types alone could differ between instances of one component.
        Ok(unsafe { TypedFunc::new_unchecked(function) })
    }
}
