//! A shop cart that is open in two tabs at once: nothing that is put into it gets lost.
//!
//! ```text
//! cargo run --example cart
//! cargo run --example cart --features redis -- --store redis://127.0.0.1:6379
//! ```

use examples::{Failure, Program, refused, say, step, title};
use state_runtime::{StateError, backend::Backend as _, prelude::*, store::Revised};

/// What a shopper is about to buy; forgotten a day after the last change.
///
/// The doubled braces are braces in the key. They keep the cart and the orders of one shopper on
/// one node of a Redis Cluster, so that a transaction can change both.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "cart:{{{shopper}}}", ttl = "1d")]
struct Cart {
    #[garde(length(min = 1, max = 64))]
    shopper: String,
    #[garde(length(max = 50), inner(length(min = 1, max = 40)))]
    items: Vec<String>,
}

impl Cart {
    fn empty(shopper: &str) -> Self {
        Self { shopper: shopper.to_owned(), items: Vec::new() }
    }
}

/// What a shopper has bought.
#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "order:{{{shopper}}}:{number}", persistent)]
struct Order {
    #[garde(length(min = 1, max = 64))]
    shopper: String,
    #[garde(skip)]
    number: u64,
    #[garde(length(min = 1))]
    items: Vec<String>,
}

/// How many orders there were.
#[derive(Debug, StateKey, Validate)]
#[state(key = "orders", persistent)]
struct Orders {
    #[state(value)]
    #[garde(skip)]
    count: u64,
}

const SHOPPER: &str = "ada";

const PROGRAM: Program = Program {
    name: "cart",
    about: "Opens a shop cart in two tabs and changes it in both.",
    operands: &[],
    store: Some("memory:"),
};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = PROGRAM.arguments();
    title("A cart in two tabs");
    let store = StateStore::connect(&arguments.store).await?;
    say("backend", store.backend().name());
    get_then_set(&store).await?;
    update(&store).await?;
    a_full_cart(&store).await?;
    check_out_twice(&store).await?;
    store.remove(Cart::key(SHOPPER)).await?;
    Ok(())
}

/// What everybody writes at first.
async fn get_then_set(store: &StateStore) -> Result<(), Failure> {
    step("Get, change, set: the last one wins");
    store.set(&Cart::empty(SHOPPER)).await?;
    let read = || async { store.get(Cart::key(SHOPPER)).await };
    let (mut left, mut right) = (read().await?, read().await?);
    for (cart, item) in [(&mut left, "tea"), (&mut right, "mug")] {
        if let Some(cart) = cart {
            cart.items.push(item.to_owned());
            store.set(cart).await?;
        }
    }
    say("put in", "tea in one tab, a mug in the other");
    say("in the cart", list(&items(store).await?));
    Ok(())
}

/// Reads, changes and writes if nothing came in between; otherwise it does so again.
async fn put(store: &StateStore, item: String) -> Result<Cart, StateError> {
    let empty = || Cart::empty(SHOPPER);
    store
        .update_or_insert_with(Cart::key(SHOPPER), empty, |cart| cart.items.push(item.clone()))
        .await
}

async fn update(store: &StateStore) -> Result<(), Failure> {
    step("`update`: both win, however often they meet");
    store.set(&Cart::empty(SHOPPER)).await?;
    let tab = |name: &'static str| async move {
        for n in 1..=20 {
            put(store, format!("{name} {n}")).await?;
        }
        Ok::<_, StateError>(())
    };
    tokio::try_join!(tab("tea"), tab("mug"))?;
    say("put in", "20 teas in one tab, 20 mugs in the other");
    say("in the cart", format!("{} items", items(store).await?.len()));
    Ok(())
}

/// Each tab alone would keep to the rule; the value that both have made has to.
async fn a_full_cart(store: &StateStore) -> Result<(), Failure> {
    step("The rules hold for what both make of it together");
    for n in 1..=10 {
        put(store, format!("spoon {n}")).await?;
    }
    refused("the 51st item", put(store, "napkin".to_owned()).await)?;
    say("in the cart", format!("{} items", items(store).await?.len()));
    Ok(())
}

/// The order is written and the cart emptied together, if the cart is still the one that was shown.
async fn check_out(store: &StateStore, shown: &Revised<Cart>) -> Result<Order, StateError> {
    let number = store.add(Orders::key(), 1).await?;
    let Cart { shopper, items } = shown.value.clone();
    let empty = Cart::empty(&shopper);
    let order = Order { shopper, number, items };
    store.transaction().create(&order).replace(&empty, &shown.revision).commit().await?;
    Ok(order)
}

async fn check_out_twice(store: &StateStore) -> Result<(), Failure> {
    step("Both tabs buy the same cart: one order");
    let Some(shown) = store.get_versioned(Cart::key(SHOPPER)).await? else {
        say("the cart", "has expired");
        return Ok(());
    };
    say("both show", format!("the cart of revision {}", shown.revision));
    match check_out(store, &shown).await {
        Ok(order) => say("one tab", format!("bought {} items", order.items.len())),
        Err(StateError::Unsupported { .. }) => {
            say("buying", "needs transactions, and this backend has none");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    }
    refused("the other tab", check_out(store, &shown).await)?;
    say("in the cart", list(&items(store).await?));
    Ok(())
}

async fn items(store: &StateStore) -> Result<Vec<String>, StateError> {
    Ok(store.get(Cart::key(SHOPPER)).await?.map(|cart| cart.items).unwrap_or_default())
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "nothing".to_owned() } else { items.join(", ") }
}
