//! `Validated`: the proof that a state type has garde rules.

/// A type with [`garde`] rules whose context can be made by `Default`.
///
/// It is implemented for every such type; its purpose is the message for one that has none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no validation rules that `state-runtime` knows",
    label = "does not implement the `garde::Validate` of `state-runtime`",
    note = "add `#[derive(garde::Validate)]` to it; `#[garde(skip)]` marks a field without a rule",
    note = "if it has that, the package uses another version of `garde`; `cargo tree --duplicates` shows both",
    note = "with `#[garde(context(T))]`, `T` has to implement `Default`"
)]
pub trait Validated {
    /// Checks every rule.
    ///
    /// # Errors
    ///
    /// The rules that are not met.
    #[doc(hidden)]
    fn check_rules(&self) -> Result<(), garde::Report>;
}

#[diagnostic::do_not_recommend]
impl<T> Validated for T
where
    T: garde::Validate<Context: Default>,
{
    fn check_rules(&self) -> Result<(), garde::Report> {
        self.validate()
    }
}
