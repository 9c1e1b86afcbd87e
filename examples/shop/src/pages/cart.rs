//! The cart: one number per product, changed by `increment`, so that two tabs at once lose nothing.

use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;
use session_core::Session;

use super::{CART, ask_to_sign_in, orders, visitor};
use crate::ask::Ask;
use crate::catalog::{Product, Shown, price};
use crate::go::{Go, Problem};
use crate::words::Language;

#[derive(Serialize)]
struct Line {
    product: Shown,
    count: u32,
    price: String,
}

pub(crate) fn show(session: &Session, language: Language) -> Result<Go, Problem> {
    let lines: Vec<Line> = contents(session)?
        .into_iter()
        .map(|(product, count)| Line {
            product: product.shown(language),
            count,
            price: price(product.times(count), language),
        })
        .collect();
    Go::page("cart.html", context! { lines => Serde(lines), total => price(total(session)?, language) })
}

pub(crate) fn add(session: &Session, ask: &Ask, language: Language) -> Result<Go, Problem> {
    let Some(product) = Product::named(ask.field("sku")) else { return Ok(Go::Status(422)) };
    let in_cart = session.get_or(place(product), 0_u32)?;
    if in_cart >= MOST {
        session.flash("status", "cart_full")?;
    } else {
        session.increment(place(product))?;
        session.flash("status", "added")?;
    }
    session.flash("about", product.name(language))?;
    Go::to(session.back_url(ask.referer.as_deref(), ask.host.as_deref(), "/"))
}

/// Sets a number; 0 takes the product out.
pub(crate) fn set(session: &Session, ask: &Ask) -> Result<Go, Problem> {
    let Some(product) = Product::named(ask.field("sku")) else { return Ok(Go::Status(422)) };
    match ask.field("count").parse::<u32>() {
        Ok(0) => session.forget([place(product)])?,
        Ok(count) if count <= MOST => session.put(place(product), count)?,
        Ok(_) | Err(_) => session.with_errors([("count", "count_range")])?,
    }
    Go::to("/cart")
}

/// Makes an order of the cart. Strangers sign in first and come back here.
pub(crate) fn order(session: &Session, ask: &Ask) -> Result<Go, Problem> {
    if visitor(session).is_none() {
        return ask_to_sign_in(session, "/cart");
    }
    let total = total(session)?;
    if total == 0 {
        return Go::to("/cart");
    }
    orders::note(session, orders::Order { at: ask.now, items: count(session)?, total })?;
    session.forget(CART.name())?;
    session.flash("status", "ordered")?;
    Go::to("/orders")
}

/// How many things are in the cart: the counter at the top of each page.
pub(crate) fn count(session: &Session) -> Result<u32, Problem> {
    Ok(contents(session)?.into_iter().map(|(_, count)| count).sum())
}

fn total(session: &Session) -> Result<u32, Problem> {
    Ok(contents(session)?.into_iter().map(|(product, count)| product.times(count)).sum())
}

/// What is in the cart. Products that are no longer sold are left out.
fn contents(session: &Session) -> Result<Vec<(&'static Product, u32)>, Problem> {
    let cart = session.get(CART)?.unwrap_or_default();
    Ok(cart.into_iter().filter_map(|(sku, count)| Some((Product::named(&sku)?, count))).collect())
}

/// Where a product's number lives, segment by segment, so that no name is ever taken apart.
fn place(product: &Product) -> [&'static str; 2] {
    [CART.name(), product.sku]
}

/// Of one product.
const MOST: u32 = 99;

#[cfg(test)]
mod tests {
    use session_core::Timestamp;

    use super::*;

    fn with_tea() -> Session {
        let session = Session::standalone();
        add(&session, &Ask::form(&[("sku", "assam")]), Language::English).unwrap();
        add(&session, &Ask::form(&[("sku", "assam")]), Language::English).unwrap();
        session
    }

    #[test]
    fn the_same_product_twice_counts_two() {
        assert_eq!(with_tea().all().to_json(), r#"{"cart":{"assam":2}}"#);
        assert_eq!(count(&with_tea()).unwrap(), 2);
    }

    #[test]
    fn what_is_not_for_sale_is_refused_and_leaves_no_trace() {
        let session = Session::standalone();
        let go = add(&session, &Ask::form(&[("sku", "moon")]), Language::English).unwrap();
        assert!(matches!(go, Go::Status(422)));
        assert!(session.is_empty());
    }

    #[test]
    fn zero_takes_the_product_out_and_nonsense_changes_nothing() {
        let session = with_tea();
        for nonsense in ["-1", "100", "two", ""] {
            set(&session, &Ask::form(&[("sku", "assam"), ("count", nonsense)])).unwrap();
            assert_eq!(count(&session).unwrap(), 2, "{nonsense}");
        }
        set(&session, &Ask::form(&[("sku", "assam"), ("count", "0")])).unwrap();
        assert!(session.missing(CART.name()));
    }

    #[test]
    fn a_stranger_signs_in_before_ordering_and_comes_back_to_the_cart() {
        let session = with_tea();
        let go = order(&session, &Ask::form(&[])).unwrap();
        assert!(matches!(go, Go::To(path) if path == "/sign-in"));
        assert_eq!(session.intended_url().as_deref(), Some("/cart"));
        assert_eq!(count(&session).unwrap(), 2);
    }

    #[test]
    fn an_order_empties_the_cart() {
        let session = with_tea();
        session.tag(crate::people::DEMO.email).unwrap();
        let mut ask = Ask::form(&[]);
        ask.now = Timestamp::from_millis(1);
        order(&session, &ask).unwrap();
        assert_eq!(count(&session).unwrap(), 0);
        assert_eq!(session.get::<u32>("orders.0.total").unwrap(), Some(1780));
    }
}
