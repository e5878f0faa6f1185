//! What a rule keeps from one call to the next.

use crate::value::Value;

/// A type whose values can be kept until the homeserver has answered. Implement it for a type of your own by way of a
/// tuple.
pub trait Keep: Sized {
    /// The value as it is kept.
    fn value(self) -> Value;

    /// What was kept; none if that is no such value.
    fn restore(value: Value) -> Option<Self>;
}

impl Keep for () {
    fn value(self) -> Value {
        Value::Null
    }

    fn restore(value: Value) -> Option<()> {
        (value == Value::Null).then_some(())
    }
}

impl Keep for Value {
    fn value(self) -> Value {
        self
    }

    fn restore(value: Value) -> Option<Value> {
        Some(value)
    }
}

impl Keep for bool {
    fn value(self) -> Value {
        Value::Bool(self)
    }

    fn restore(value: Value) -> Option<bool> {
        match value {
            Value::Bool(truth) => Some(truth),
            _ => None,
        }
    }
}

impl Keep for u64 {
    fn value(self) -> Value {
        Value::Unsigned(self)
    }

    fn restore(value: Value) -> Option<u64> {
        value.as_u64()
    }
}

impl Keep for String {
    fn value(self) -> Value {
        Value::Text(self)
    }

    fn restore(value: Value) -> Option<String> {
        match value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<T: Keep> Keep for Vec<T> {
    fn value(self) -> Value {
        Value::Array(self.into_iter().map(Keep::value).collect())
    }

    fn restore(value: Value) -> Option<Vec<T>> {
        match value {
            Value::Array(values) => values.into_iter().map(T::restore).collect(),
            _ => None,
        }
    }
}

/// None as an empty array, so that an option within an option is told apart.
impl<T: Keep> Keep for Option<T> {
    fn value(self) -> Value {
        Value::Array(self.into_iter().map(Keep::value).collect())
    }

    fn restore(value: Value) -> Option<Option<T>> {
        let mut values = Vec::restore(value)?;
        let last = values.pop();
        values.is_empty().then_some(last)
    }
}

macro_rules! keep_tuple {
    ($($kind:ident $name:ident),+) => {
        impl<$($kind: Keep),+> Keep for ($($kind,)+) {
            fn value(self) -> Value {
                let ($($name,)+) = self;
                Value::Array(vec![$($name.value()),+])
            }

            fn restore(value: Value) -> Option<Self> {
                let Value::Array(values) = value else {
                    return None;
                };
                let mut values = values.into_iter();
                let restored = ($($kind::restore(values.next()?)?,)+);
                values.next().is_none().then_some(restored)
            }
        }
    };
}

keep_tuple!(A a, B b);
keep_tuple!(A a, B b, C c);
keep_tuple!(A a, B b, C c, D d);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_restored_with_its_type() {
        type Kept = (u64, Option<String>, Vec<bool>, Option<Option<()>>);
        let kept: Kept = (7, Some("a".to_owned()), vec![true, false], Some(None));
        assert_eq!(Kept::restore(kept.clone().value()), Some(kept));
    }

    #[test]
    fn a_value_of_another_type_is_not_restored() {
        assert_eq!(u64::restore("7".to_owned().value()), None);
        assert_eq!(<(u64, bool)>::restore(vec![7_u64].value()), None);
        assert_eq!(<(u64, u64)>::restore(vec![7_u64; 3].value()), None);
        assert_eq!(Option::<u64>::restore(vec![7_u64; 2].value()), None);
        assert_eq!(<()>::restore(true.value()), None);
    }
}
