//! Messages: any value, any name, read by path.

use super::*;

#[tokio::test]
async fn peers_23_falsy_messages_are_kept_in_both_forms() {
    let (app, mut browser) = (app(), Browser::new());
    for many in [false, true] {
        app.visit(&mut browser, async |session| {
            if many {
                session.flash_many(&json!({ "a": 0, "b": "", "c": false, "d": null, "e": [] })).unwrap();
            } else {
                session.flash("a", 0).unwrap();
                session.flash("b", "").unwrap();
                session.flash("c", false).unwrap();
                session.flash("d", ()).unwrap();
                session.flash("e", [0_u8; 0]).unwrap();
            }
        })
        .await;
        app.visit(&mut browser, async |session| {
            let shown = session.flash_messages();
            assert_eq!(shown.get::<i64>("a").unwrap(), Some(0));
            assert_eq!(shown.get::<String>("b").unwrap().as_deref(), Some(""));
            assert_eq!(shown.get::<bool>("c").unwrap(), Some(false));
            assert_eq!(shown.get::<bool>("d").unwrap(), None);
            assert!(shown.all().keys().any(|key| key == "d"));
            assert_eq!(shown.get::<Vec<u8>>("e").unwrap(), Some(vec![]));
        })
        .await;
    }
}

#[tokio::test]
async fn peers_23_no_name_is_reserved() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        for name in ["input", "errors", "messages", "old", "__proto__", "v", "data"] {
            session.flash(name, name).unwrap();
        }
        session.set_input(form(json!({ "errors": "x" })));
        session.flash_all().unwrap();
        session.with_errors([("input", "wrong")]).unwrap();
    })
    .await;
    app.visit(&mut browser, async |session| {
        assert_eq!(session.flash_messages().all().len(), 7);
        assert_eq!(session.flash_messages().get::<String>("input").unwrap().as_deref(), Some("input"));
        assert_eq!(session.old::<String>("errors").unwrap().as_deref(), Some("x"));
        assert_eq!(session.errors().first("input").as_deref(), Some("wrong"));
    })
    .await;
}

#[tokio::test]
async fn messages_are_read_by_path_with_defaults() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        session.flash("toast", json!({ "level": "info", "a.b": 1 })).unwrap();
        session.flash("deep.name", 2).unwrap();
        session.flash_many(&json!({ "literal.name": 3 })).unwrap();
    })
    .await;
    app.visit(&mut browser, async |session| {
        let shown = session.flash_messages();
        assert_eq!(shown.get::<String>("toast.level").unwrap().as_deref(), Some("info"));
        assert_eq!(shown.get::<u8>("deep.name").unwrap(), Some(2));
        assert_eq!(shown.get::<u8>("literal.name").unwrap(), Some(3));
        assert_eq!(shown.get_or("missing", 7).unwrap(), 7);
        assert!(shown.get::<u8>("toast").is_err(), "a wrong type is an error");
    })
    .await;
}

#[tokio::test]
async fn what_could_not_be_shown_is_refused_when_it_is_flashed() {
    let session = Session::standalone();
    assert!(session.flash("a..b", 1).is_err());
    assert!(session.flash("a", f64::NAN).is_err());
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    assert!(session.flash("deep", &deep).is_err());
    assert!(session.flash_many(&json!({ "deep": deep })).is_err());
    assert!(session.flash_now("a..b", 1).is_err());
}
