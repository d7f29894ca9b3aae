//! What both databases must do: the same cases, as data, and the same random sequences beside a simple model.

mod cases;
mod clock;
mod inputs;
mod model;
mod place;
mod random;
mod script;
mod servers;
mod words;
