//! Typed values: constants for keys, structs, dates and wide numbers, across visits.

use serde::{Deserialize, Serialize};
use serde_json::json;
use session_core::{Date, Key, Number, Session, SessionError, Timestamp, ValueError};

use crate::web::{Client, WebApp};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cart {
    items: Vec<(String, u32)>,
    note: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Shopper {
    user: Option<String>,
    cart: Cart,
    visits: u64,
}

const CART: Key<Cart> = Key::new("cart");
const VISITS: Key<u64> = Key::new("visits");

fn cart() -> Cart {
    Cart { items: vec![("A-1".to_owned(), 2)], note: None }
}

pub async fn features_1_typed_keys_need_no_annotation(app: &impl WebApp) {
    let client = Client::new(app);
    let fill = |session: &Session| {
        session.put(CART, cart()).unwrap();
        session.increment(VISITS).unwrap();
        session.flash(Key::<u8>::new("seen"), 1).unwrap();
    };
    client.visit(fill).await;
    let look = |session: &Session| {
        assert_eq!(session.get(CART).unwrap(), Some(cart()));
        assert_eq!(session.get_or(VISITS, 0).unwrap(), 1);
        assert_eq!(session.flash_messages().get(Key::<u8>::new("seen")).unwrap(), Some(1));
        let updated = session.update(CART, |cart| {
            let mut cart = cart.unwrap_or_default();
            cart.note = Some("gift".to_owned());
            cart
        });
        assert_eq!(updated.unwrap().items, cart().items);
        assert_eq!(session.pull(VISITS).unwrap(), Some(1));
    };
    client.visit(look).await;
    let note = client.visit(|session| session.get::<String>("cart.note").unwrap()).await;
    assert_eq!(note.as_deref(), Some("gift"));
}

pub async fn features_1_a_wrong_type_is_an_error_that_names_the_key_and_no_value(app: &impl WebApp) {
    let client = Client::new(app);
    client.visit(|session| session.put("visits", "hunter2").unwrap()).await;
    let error = client.visit(|session| session.get(VISITS).unwrap_err()).await;
    assert!(matches!(error, SessionError::Value(_)));
    let said = error.to_string();
    assert!(said.contains("visits") && !said.contains("hunter2"), "{said}");
}

pub async fn features_1_a_whole_struct_is_stored_and_extracted(app: &impl WebApp) {
    let client = Client::new(app);
    let shopper = Shopper { user: Some("ada".to_owned()), cart: cart(), visits: u64::MAX };
    let put = shopper.clone();
    client.visit(move |session| session.put_struct(&put).unwrap()).await;
    assert_eq!(client.visit(|session| session.all().to::<Shopper>().unwrap()).await, shopper);
    let user = client.visit(|session| session.get::<String>("user").unwrap()).await;
    assert_eq!(user.as_deref(), Some("ada"), "its fields are values like any other");
    let error = client.visit(|session| session.all().to::<Vec<u8>>().unwrap_err()).await;
    assert!(matches!(error, ValueError::WrongType { .. }));
}

pub async fn features_1_types_come_back_exactly(app: &impl WebApp) {
    let client = Client::new(app);
    let moment = Timestamp::from_millis(1_893_456_000_123).to_offset();
    let fill = move |session: &Session| {
        session.put("max", i128::MAX).unwrap();
        session.put("min", i128::MIN).unwrap();
        session.put("unsigned", u128::MAX).unwrap();
        session.put("third", 1.0_f64 / 3.0).unwrap();
        session.put("when", Date(moment)).unwrap();
        session.put("falsy", json!([0, "", false, [], null])).unwrap();
    };
    client.visit(fill).await;
    let look = move |session: &Session| {
        assert_eq!(session.get::<i128>("max").unwrap(), Some(i128::MAX));
        assert_eq!(session.get::<i128>("min").unwrap(), Some(i128::MIN));
        assert_eq!(session.get::<u128>("unsigned").unwrap(), Some(u128::MAX));
        assert_eq!(session.get::<f64>("third").unwrap(), Some(1.0 / 3.0));
        assert_eq!(session.get::<Date>("when").unwrap(), Some(Date(moment)));
        let text = session.get::<String>("when").unwrap().unwrap();
        assert!(text.starts_with("2030-01-01T00:00:00.123"), "{text}");
        assert_eq!(session.get::<serde_json::Value>("falsy").unwrap(), Some(json!([0, "", false, [], null])));
    };
    client.visit(look).await;
}

pub async fn features_1_remember_makes_a_value_once(app: &impl WebApp) {
    let client = Client::new(app);
    let make = |session: Session| async move {
        session.put("null", ()).unwrap();
        let made = session.remember_with("made", async || "first".to_owned()).await.unwrap();
        (made, session.remember("null", || 1_u8).unwrap())
    };
    assert_eq!(client.wait(make).await, ("first".to_owned(), 1));
    let again = |session: Session| async move {
        session.remember_with("made", async || panic!("it is there")).await.unwrap()
    };
    let again: String = client.wait(again).await;
    assert_eq!(again, "first");
}

pub async fn features_1_a_default_may_be_a_str(app: &impl WebApp) {
    let client = Client::new(app);
    let look = |session: &Session| -> (String, String, u8, Number) {
        let theme = session.get_or("theme", "light").unwrap();
        (
            theme,
            session.flash_messages().get_or("email", "").unwrap(),
            session.get_or("n", 7).unwrap(),
            session.increment("hits").unwrap(),
        )
    };
    let (theme, email, number, hits) = client.visit(look).await;
    assert_eq!((theme.as_str(), email.as_str(), number), ("light", "", 7));
    assert!(hits == 1 && hits.as_u64() == Some(1));
}
