//! Generated from the contract in `wit/`.
#![allow(missing_docs, clippy::all, reason = "generated code")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "bootstrap",
    pub_export_macro: true,
    default_bindings_module: "stead_guest::bindings",
    additional_derives: [PartialEq],
    generate_all,
});
