//! Starts and stops what the tests run against: virtual machines, a Docker Engine, network namespaces.
