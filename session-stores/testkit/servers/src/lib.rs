//! Starts the real servers that store tests talk to, on free loopback ports, and stops them by pid.
