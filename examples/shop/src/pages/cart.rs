//! The cart: one number per product, changed by `increment`, so that two tabs at once lose nothing.

use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;
use session_core::Session;

use super::{CART, orders, sign_in_first, visitor};
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

pub(crate) fn show(ask: &Ask) -> Result<Go, Problem> {
    let (session, language) = (ask.session(), Language::of(ask.session()));
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

pub(crate) fn add(ask: &Ask) -> Result<Go, Problem> {
    let Some(product) = Product::named(ask.field("sku")) else { return Ok(Go::Status(422)) };
    let session = ask.session();
    let status = if session.get_or(place(product), 0_u32)? < MOST {
        session.increment(place(product))?;
        "added"
    } else {
        "cart_full"
    };
    let name = product.name(Language::of(session));
    Go::to(ask.redirects.back("/").with("status", status).with("about", name))
}

/// Sets a number; 0 takes the product out.
pub(crate) fn set(ask: &Ask) -> Result<Go, Problem> {
    let Some(product) = Product::named(ask.field("sku")) else { return Ok(Go::Status(422)) };
    let to_cart = ask.redirects.to("/cart");
    match ask.field("count").parse::<u32>() {
        Ok(0) => ask.session().forget([place(product)])?,
        Ok(count) if count <= MOST => ask.session().put(place(product), count)?,
        Ok(_) | Err(_) => return Go::to(to_cart.with_errors([("count", "count_range")]).with_input()),
    }
    Go::to(to_cart)
}

/// Makes an order of the cart. Strangers sign in first and come back here.
pub(crate) fn order(ask: &Ask) -> Result<Go, Problem> {
    let session = ask.session();
    if visitor(session).is_none() {
        return sign_in_first(ask, "/cart");
    }
    let total = total(session)?;
    if total == 0 {
        return Go::to(ask.redirects.to("/cart"));
    }
    orders::note(session, orders::Order { at: ask.now, items: count(session)?, total })?;
    session.forget(CART.name())?;
    Go::to(ask.redirects.to("/orders").with("status", "ordered"))
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

    async fn with_tea() -> Session {
        let ask = Ask::form(&[("sku", "assam")]).await;
        add(&ask).unwrap();
        add(&ask).unwrap();
        ask.session().clone()
    }

    #[tokio::test]
    async fn the_same_product_twice_counts_two() {
        let session = with_tea().await;
        assert_eq!(session.all().to_json(), r#"{"cart":{"assam":2}}"#);
        assert_eq!(count(&session).unwrap(), 2);
    }

    #[tokio::test]
    async fn what_is_not_for_sale_is_refused_and_leaves_no_trace() {
        let ask = Ask::form(&[("sku", "moon")]).await;
        assert!(matches!(add(&ask).unwrap(), Go::Status(422)));
        assert!(ask.session().is_empty());
    }

    #[tokio::test]
    async fn zero_takes_the_product_out_and_nonsense_changes_nothing() {
        let session = with_tea().await;
        for nonsense in ["-1", "100", "two", ""] {
            set(&Ask::form_in(session.clone(), &[("sku", "assam"), ("count", nonsense)]).await).unwrap();
            assert_eq!(count(&session).unwrap(), 2, "{nonsense}");
        }
        set(&Ask::form_in(session.clone(), &[("sku", "assam"), ("count", "0")]).await).unwrap();
        assert!(session.missing(CART.name()));
    }

    #[tokio::test]
    async fn a_stranger_signs_in_before_ordering_and_comes_back_to_the_cart() {
        let session = with_tea().await;
        let go = order(&Ask::form_in(session.clone(), &[]).await).unwrap();
        assert_eq!(go.location(), "/sign-in");
        assert_eq!(session.urls().intended().as_deref(), Some("/cart"));
        assert_eq!(count(&session).unwrap(), 2);
    }

    #[tokio::test]
    async fn an_order_empties_the_cart() {
        let session = with_tea().await;
        session.tag(crate::people::DEMO.email).unwrap();
        let mut ask = Ask::form_in(session.clone(), &[]).await;
        ask.now = Timestamp::from_millis(1);
        order(&ask).unwrap();
        assert_eq!(count(&session).unwrap(), 0);
        assert_eq!(session.get::<u32>("orders.0.total").unwrap(), Some(1780));
    }
}
