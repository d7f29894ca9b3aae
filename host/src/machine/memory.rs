//! What one run remembers between its plan and its apply: never written, so it may hold what must not lie on a disk.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// One value a type.
#[derive(Default)]
pub struct Memory(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Memory {
    /// The value of this type that was kept last, or a new one.
    pub fn of<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let one = kept.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default())).clone();
        one.downcast().unwrap_or_default()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_same_value_again() {
        let memory = Memory::default();
        memory.of::<Mutex<u32>>().lock().map(|mut number| *number = 3).unwrap_or_default();
        assert_eq!(memory.of::<Mutex<u32>>().lock().map(|number| *number).ok(), Some(3));
        assert_eq!(memory.of::<Mutex<u8>>().lock().map(|number| *number).ok(), Some(0));
    }
}
