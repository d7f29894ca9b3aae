//! Generated from the contract in `wit/`, for jobs.
#![allow(missing_docs, clippy::all, reason = "generated code")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "job",
    pub_export_macro: true,
    export_macro_name: "export_job",
    default_bindings_module: "stead_guest::job_bindings",
    additional_derives: [PartialEq],
    with: {
        "stead:host/types@0.1.0": crate::bindings::stead::host::types,
        "stead:host/log@0.1.0": crate::bindings::stead::host::log,
        "stead:host/config@0.1.0": crate::bindings::stead::host::config,
    },
    generate_all,
});
