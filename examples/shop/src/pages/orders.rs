//! The orders of whoever is signed in: a page that sends strangers to sign in first, and back again.

use minijinja::context;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};
use session_core::{Key, Session, Timestamp};

use super::user;
use crate::ask::Ask;
use crate::catalog::price;
use crate::go::{Go, Problem};
use crate::words::{Language, moment};

/// One order. A real shop keeps it in its database; here the session is all there is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) at: Timestamp,
    pub(crate) items: u32,
    /// In cents.
    pub(crate) total: u32,
}

#[derive(Serialize)]
struct Row {
    at: String,
    items: u32,
    total: String,
}

pub(crate) fn show(ask: &Ask) -> Result<Go, Problem> {
    let (session, language) = (ask.session(), Language::of(ask.session()));
    user(ask)?;
    let orders = session.get(ORDERS)?.unwrap_or_default();
    let row =
        |order: &Order| Row { at: moment(order.at), items: order.items, total: price(order.total, language) };
    let orders: Vec<Row> = orders.iter().rev().map(row).collect();
    Go::page("orders.html", context! { orders => Serde(orders) })
}

/// Notes an order; only the last few are kept. The closure runs again on the newer list if another request was faster.
pub(crate) fn note(session: &Session, order: Order) -> Result<(), Problem> {
    session.update(ORDERS, move |orders| {
        let mut orders = orders.unwrap_or_default();
        orders.push(order.clone());
        orders.drain(..orders.len().saturating_sub(MOST));
        orders
    })?;
    Ok(())
}

const ORDERS: Key<Vec<Order>> = Key::new("orders");

/// A session in a cookie has room for about 3 KB in all.
const MOST: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_five_orders_are_kept() {
        let session = Session::standalone();
        for items in 1..=7 {
            note(&session, Order { at: Timestamp::from_millis(0), items, total: 1 }).unwrap();
        }
        let items: Vec<u32> =
            session.get(ORDERS).unwrap().unwrap().into_iter().map(|order| order.items).collect();
        assert_eq!(items, [3, 4, 5, 6, 7]);
    }
}
