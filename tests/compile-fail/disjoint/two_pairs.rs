// Every type that overlaps one before it is told.

use state_runtime::prelude::*;

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: String,
    #[garde(skip)]
    pub user: String,
}

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Login {
    #[garde(skip)]
    pub id: String,
    #[garde(skip)]
    pub user: String,
}

#[derive(StateKey, Validate)]
#[state(key = "cart:{id}", persistent)]
pub struct Cart {
    #[garde(skip)]
    pub id: String,
    #[garde(skip)]
    pub user: String,
}

#[derive(StateKey, Validate)]
#[state(key = "cart:{id}", persistent)]
pub struct Basket {
    #[garde(skip)]
    pub id: String,
    #[garde(skip)]
    pub user: String,
}

state_runtime::assert_disjoint!(Session, Login, Cart, Basket);
