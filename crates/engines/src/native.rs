//! The engine that is this program's own: what is always true of it. What it does is in the generator.

use crate::engine::{Capacity, Confinement, EngineFacts};
use floodgate_records::engine::Engine;

pub(crate) static FACTS: EngineFacts = EngineFacts {
    engine: Engine::Http,
    label: "http",
    needs_java: false,
    takes_load_options: false,
    reads_variables: false,
    own_variables: &[],
    confinement: Confinement::NamesAndAddresses,
    capacity: Capacity {
        requests_per_s: 10_000.0,
        vus: 5_000.0,
        vus_a_gib: 10_000.0,
    },
    results: "",
};
