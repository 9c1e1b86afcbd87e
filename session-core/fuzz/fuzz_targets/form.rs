//! Forms, urlencoded and multipart: read or refused, the same whenever they are read.
#![no_main]

use bytes::Bytes;
use futures_executor::block_on;
use libfuzzer_sys::fuzz_target;
use session_web::Form;

fuzz_target!(|data: &[u8]| {
    // The first line is the content type: one of ours, or whatever it says.
    let (first, body) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (&b"u"[..], data),
    };
    let first = String::from_utf8_lossy(first);
    let content_type = match &*first {
        "u" => "application/x-www-form-urlencoded",
        "m" => "multipart/form-data; boundary=X",
        "j" => "application/json",
        other => other,
    };
    let body = Bytes::copy_from_slice(body);
    let read = || block_on(Form::read(content_type, body.clone()));
    match (read(), read()) {
        (Ok(one), Ok(other)) => assert_eq!(one.as_map(), other.as_map()),
        (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
        _ => panic!("read once and refused once"),
    }
});
