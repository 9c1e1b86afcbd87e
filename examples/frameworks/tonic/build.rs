//! Generates the service and its client from Rust types, so that building needs no `protoc`.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name: &str, route: &str, input: &str, output: &str| {
        let method = Method::builder().name(name).route_name(route).input_type(input).output_type(output);
        method.codec_path("tonic_prost::ProstCodec").build()
    };
    let visits = Service::builder()
        .name("Visits")
        .package("shop")
        .method(method("sign_in", "SignIn", "crate::User", "crate::Done"))
        .method(method("count", "Count", "crate::Done", "crate::Hits"))
        .method(method("refuse", "Refuse", "crate::Done", "crate::Done"))
        .method(method("sign_out", "SignOut", "crate::Done", "crate::Done"))
        .build();
    Builder::new().compile(&[visits]);
}
