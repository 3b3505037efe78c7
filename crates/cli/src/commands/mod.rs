//! Commands, one a file: their arguments as written, what these mean, and what is done.

pub mod abort;
pub mod attach;
pub mod baseline;
pub mod capacity;
pub mod compare;
pub mod convert;
pub mod demo;
pub mod deploy;
pub mod destroy;
pub mod doctor;
pub mod export;
pub mod generator;
pub mod hit;
pub mod import;
pub mod init;
pub mod inspect;
pub mod register;
pub mod report;
pub mod run;
pub mod runs;
pub mod schema;
pub mod show;
pub mod trend;
pub mod ui;
pub mod validate;
