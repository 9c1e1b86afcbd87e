//! A host with an optional port, as an application lists it and as requests and URLs name it.

use core::net::Ipv6Addr;

/// A host, and its port if it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// In lower case; an IPv6 address in brackets.
    name: Box<str>,
    port: Option<u16>,
}

impl Host {
    /// Parses `host` or `host:port` as an application lists it: a name of ASCII letters, digits, `-` and `_` between dots,
    /// or an IPv6 address in brackets. `None` for everything else, such as an empty name, a wildcard, a scheme, a user or a
    /// path.
    pub(crate) fn listed(text: &str) -> Option<Self> {
        Self::parse(text).filter(|host| !host.name.ends_with('.'))
    }

    /// Parses a host as a request names it: as [`listed`](Self::listed), or with a dot at its end. A browser takes
    /// `shop.example.` for another host than `shop.example`, although DNS does not.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let end = match text.strip_prefix('[') {
            Some(rest) => rest.find(']')? + 2,
            None => text.find(':').unwrap_or(text.len()),
        };
        let (name, port) = text.split_at(end);
        let port = match port.strip_prefix(':') {
            Some(digits) => Some(parse_port(digits)?),
            None if port.is_empty() => None,
            None => return None,
        };
        is_name(name).then(|| Self { name: name.to_ascii_lowercase().into(), port })
    }

    /// The same host with its port written, where no port means this one.
    pub(crate) fn with_default_port(self, port: Option<u16>) -> Self {
        Self { port: self.port.or(port), ..self }
    }

    /// The same host with its port written only if it is not this one.
    pub(crate) fn without_port(&self, port: Option<u16>) -> Self {
        Self { name: self.name.clone(), port: self.port.filter(|own| Some(*own) != port) }
    }
}

/// `host` or `host:port`.
impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// The port of a URL with this scheme (in lower case) that writes none.
pub(crate) fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

/// Returns whether a text is a host as an application lists it.
pub(crate) fn is_host(text: &str) -> bool {
    Host::listed(text).is_some()
}

fn parse_port(digits: &str) -> Option<u16> {
    let is_port = (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| is_port && *port > 0)
}

fn is_name(name: &str) -> bool {
    if let Some(address) = name.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !label.is_empty() && label.bytes().all(inner)
    };
    let labels = name.strip_suffix('.').unwrap_or(name);
    name.len() <= MOST_NAME_BYTES && labels.split('.').all(is_label)
}

const MOST_NAME_BYTES: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_14_a_host_is_a_name_and_perhaps_a_port() {
        for text in
            ["a", "localhost", "shop.example", "a_b.c-d.example", "127.0.0.1", "[::1]", "xn--caf-dma.example"]
        {
            assert!(
                Host::listed(text).is_some() && Host::listed(&format!("{text}:8080")).is_some(),
                "{text}"
            );
        }
    }

    #[test]
    fn at_14_nothing_else_is_a_host() {
        let long = "a".repeat(254);
        for text in [
            "",
            " ",
            ":",
            ":443",
            ".",
            "..",
            ".example",
            "example.",
            "a..b",
            "*",
            "*.example",
            "shop.*",
            "?",
            "https://shop.example",
            "//shop.example",
            "shop.example/",
            "shop.example/a",
            "shop.example?a",
            "shop.example#a",
            "ada@shop.example",
            "shop.example:",
            "shop.example:0",
            "shop.example:+80",
            "shop.example:65536",
            "shop.example:080800",
            "shop.example:80:80",
            "shop.example:a",
            " shop.example",
            "shop.example\n",
            "shop.example,evil.example",
            "caf\u{e9}.example",
            "shop\u{3002}example",
            "%73hop.example",
            "shop\\example",
            "[",
            "[]",
            "[::1",
            "[::1]a",
            "[::1]:",
            "[shop.example]",
            "::1",
            long.as_str(),
        ] {
            assert_eq!(Host::listed(text), None, "{text:?}");
            assert!(Host::parse(text).is_none() || text == "example.", "{text:?}");
        }
    }

    #[test]
    fn a_dot_at_the_end_of_a_requested_host_makes_another_host() {
        let host = |text| Host::parse(text).unwrap();
        assert_eq!(host("Shop.example.:8080"), host("shop.example.:8080"));
        assert_ne!(host("shop.example."), host("shop.example"));
        for text in ["shop.example..", "..", ".", "[::1].", ".:80"] {
            assert_eq!(Host::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_port_that_is_not_written_is_the_schemes() {
        let host = |text| Host::parse(text).unwrap().with_default_port(default_port("https"));
        assert_eq!(host("shop.example"), host("SHOP.example:443"));
        assert_ne!(host("shop.example"), host("shop.example:80"));
        assert_eq!(host("[::1]:8080").to_string(), "[::1]:8080");
        assert_eq!(host("shop.example").without_port(Some(443)).to_string(), "shop.example");
    }
}
