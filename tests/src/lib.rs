//! Behaviour tests across the whole framework; each file of `tests` is one behaviour.
