//! The CSRF token: how long it is valid, and for whom.

use crate::adapter::Stage;

/// 32 bytes, masked anew on every page; only the session's own token is valid.
pub async fn the_csrf_token_stays_until_it_is_renewed(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    let token = ada.ops(&[(r#""csrf_token""#, "*")]).await.results().remove(0);
    assert_eq!(token.len(), 88, "86 characters in quotes");
    let again = ada.ops(&[(r#""csrf_token""#, "*")]).await.results().remove(0);
    assert_ne!(again, token, "masked anew");
    ada.ops(&[
        (&format!(r#""verify_csrf","token":{again}"#), "true"),
        (&format!(r#""verify_csrf","token":{token}"#), "true"),
        (r#""verify_csrf","token":"""#, "false"),
    ])
    .await;
    ada.ops(&[(r#""regenerate_csrf_token""#, "*")]).await;
    ada.ops(&[(&format!(r#""verify_csrf","token":{token}"#), "false")]).await;
    let stranger = world.browser();
    stranger.ops(&[(&format!(r#""verify_csrf","token":{token}"#), "false")]).await;
}

/// AT-5: somebody who planted the session, or used it before, knows the old token.
pub async fn at_5_no_csrf_token_from_before_a_change_of_user_is_accepted(stage: &Stage) {
    let world = stage.open().await;
    let (sign_in, to_bob) = (r#""tag","owner":"ada""#, r#""tag","owner":"bob""#);
    let (regenerate, sign_out) = (r#""regenerate""#, r#""untag""#);
    let changes: [(&[&str], &[&str]); 7] = [
        (&[], &[regenerate, sign_in]),
        (&[], &[sign_in, regenerate]),
        (&[], &[sign_in]),
        (&[sign_in], &[to_bob]),
        (&[sign_in], &[regenerate, to_bob]),
        (&[sign_in], &[sign_out]),
        (&[sign_in], &[sign_out, sign_in]),
    ];
    for (before, change) in changes {
        let ada = world.browser();
        ada.ops(&before.iter().map(|op| (*op, "null")).collect::<Vec<_>>()).await;
        let token = ada.ops(&[(r#""csrf_token""#, "*")]).await.results().remove(0);
        let verify = format!(r#""verify_csrf","token":{token}"#);
        ada.ops(&[(&verify, "true")]).await;
        ada.ops(
            &change.iter().map(|op| (*op, "null")).chain([(verify.as_str(), "false")]).collect::<Vec<_>>(),
        )
        .await;
        ada.ops(&[(r#""csrf_token""#, "*"), (&verify, "false")]).await;
    }
    // If the user is the same, it is accepted for two minutes.
    let ada = world.browser();
    let token = ada.ops(&[(sign_in, "null"), (r#""csrf_token""#, "*")]).await.results().remove(1);
    let verify = format!(r#""verify_csrf","token":{token}"#);
    ada.ops(&[(regenerate, "null"), (sign_in, "null"), (&verify, "true")]).await;
    ada.ops(&[(&verify, "true")]).await;
}
