//! Recognizes the variables that Kubernetes sets in every container for each service of the namespace.
//!
//! A service named `session-redis` sets `SESSION_REDIS_SERVICE_HOST`, `SESSION_REDIS_PORT` and more ("service links",
//! after Docker's container links). They are no settings of this library.

use std::net::IpAddr;

/// Whether a variable has the name and the value of a service link. A misspelled setting has neither.
pub(crate) fn is_service_link(name: &str, value: &str) -> bool {
    let is_port = |text: &str| text.parse::<u16>().is_ok();
    if name.ends_with("_SERVICE_HOST") {
        return is_host(value);
    }
    // The port's own name follows if the service has named ports.
    if name.ends_with("_SERVICE_PORT") || name.contains("_SERVICE_PORT_") {
        return is_port(value);
    }
    if name.ends_with("_PORT") && is_address(value) {
        return true;
    }
    let Some((_, port)) = name.rsplit_once("_PORT_") else { return false };
    let Some((number, rest)) = port.split_once('_') else { return false };
    let (protocol, part) = rest.split_once('_').unwrap_or((rest, ""));
    is_port(number)
        && is_protocol(protocol)
        && match part {
            "" => is_address(value),
            "PROTO" => is_protocol(value),
            "PORT" => is_port(value),
            "ADDR" => is_host(value),
            _ => false,
        }
}

fn is_protocol(text: &str) -> bool {
    ["tcp", "udp", "sctp"].iter().any(|protocol| text.eq_ignore_ascii_case(protocol))
}

/// `tcp://10.0.0.11:6379`.
fn is_address(value: &str) -> bool {
    let Some((protocol, address)) = value.split_once("://") else { return false };
    let Some((host, port)) = address.rsplit_once(':') else { return false };
    is_protocol(protocol) && is_host(host) && port.parse::<u16>().is_ok()
}

/// The address of a service, with or without the brackets of IPv6.
fn is_host(value: &str) -> bool {
    let bare = value.strip_prefix('[').and_then(|value| value.strip_suffix(']')).unwrap_or(value);
    bare.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_of_a_service_is_one() {
        for service in ["SESSION_REDIS", "SESSION", "SESSION_OPTION", "SESSION_STORE_2", "SESSION_PORT"] {
            for (rest, value) in [
                ("SERVICE_HOST", "10.0.0.11"),
                ("SERVICE_HOST", "fd00::11"),
                ("SERVICE_PORT", "6379"),
                ("SERVICE_PORT_REDIS", "6379"),
                ("SERVICE_PORT_REDIS_TLS", "6380"),
                ("PORT", "tcp://10.0.0.11:6379"),
                ("PORT", "udp://10.0.0.11:53"),
                ("PORT", "tcp://[fd00::11]:6379"),
                ("PORT_6379_TCP", "tcp://10.0.0.11:6379"),
                ("PORT_6379_TCP_PROTO", "tcp"),
                ("PORT_6379_TCP_PORT", "6379"),
                ("PORT_6379_TCP_ADDR", "10.0.0.11"),
                ("PORT_53_UDP_PROTO", "udp"),
                ("PORT_53_UDP_PORT", "53"),
                ("PORT_9_SCTP_ADDR", "fd00::11"),
            ] {
                assert!(is_service_link(&format!("{service}_{rest}"), value), "{service}_{rest}={value}");
            }
        }
    }

    #[test]
    fn a_name_or_a_value_that_no_service_has_is_none() {
        for (name, value) in [
            ("SESSION_REDIS_PORT", "6379"),
            ("SESSION_REDIS_PORT", "redis://10.0.0.11:6379"),
            ("SESSION_REDIS_PORT", "tcp://10.0.0.11"),
            ("SESSION_REDIS_HOST", "10.0.0.11"),
            ("SESSION_REDIS_SERVICE_HOST", ""),
            ("SESSION_REDIS_SERVICE_HOST", "yes"),
            ("SESSION_REDIS_SERVICE_PORT", "tcp"),
            ("SESSION_REDIS_PORT_TCP", "tcp://10.0.0.11:6379"),
            ("SESSION_REDIS_PORT_6379_HTTP", "tcp://10.0.0.11:6379"),
            ("SESSION_REDIS_PORT_6379_TCP_NAME", "redis"),
            ("SESSION_REDIS_URL", "redis://10.0.0.11:6379"),
            ("SESSION_AEG", "2h"),
        ] {
            assert!(!is_service_link(name, value), "{name}={value}");
        }
    }
}
