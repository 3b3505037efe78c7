//! An OpenAPI document (3.0 and 3.1, <https://spec.openapis.org/oas/v3.1.1.html>) as checks of responses: which operation a request
//! is, and how its response differs from what the document says of it.
//!
//! ```text
//! document ──► Contract::read ──► operations, each with its path's template and the responses that it may have
//!                                      │ find(method, path)
//!                                      ▼
//!                               Operation::differences(response) ──► place, expected, got
//! ```
//!
//! The document is read and its references are followed once. A schema is made ready when a response is first held against it, or by
//! [`Operation::compile`]: a large document has many that a test never needs.
//!
//! What is checked: the status, headers (those that are required have to be there; values by their schema), the content type, and the
//! body of JSON by its schema. `nullable`, exclusive bounds and references of 3.0 mean what 3.0 says; properties that are `writeOnly`
//! are not required of a response; `format` is checked where it is known; a `discriminator` of `oneOf` or `anyOf` chooses the schema.
//! What is not: bodies other than JSON, links, callbacks, webhooks, and requests.

mod difference;
mod document;
mod error;
mod media;
mod operation;
mod path;
mod response;
mod schema;
mod servers;

pub use difference::Difference;
pub use document::MAX_BYTES;
pub use error::{ContractError, Fault};
pub use operation::Operation;
pub use response::Response;

use document::Document;
use std::sync::Arc;

/// A document, ready to hold responses against.
#[derive(Debug)]
pub struct Contract {
    name: String,
    /// Those with fewer parameters in their paths come first.
    operations: Vec<Operation>,
}

impl Contract {
    /// Reads a document, YAML or JSON. `name` is what messages call it.
    ///
    /// # Errors
    /// What is neither, is of another version, or has references that lead nowhere: all of them, with their places.
    ///
    /// # Examples
    /// ```
    /// use floodgate_contract::{Contract, Response};
    ///
    /// struct Answer(u16, &'static str);
    ///
    /// impl Response for Answer {
    ///     fn status(&self) -> u16 {
    ///         self.0
    ///     }
    ///     fn header(&self, name: &str) -> Option<&[u8]> {
    ///         (name == "content-type").then_some(b"application/json")
    ///     }
    ///     fn body(&self) -> &[u8] {
    ///         self.1.as_bytes()
    ///     }
    /// }
    ///
    /// let document = r#"
    /// openapi: 3.0.3
    /// info: { title: Pets, version: "1" }
    /// paths:
    ///   /pets/{id}:
    ///     get:
    ///       responses:
    ///         "200":
    ///           description: A pet
    ///           content:
    ///             application/json:
    ///               schema: { type: object, required: [id], properties: { id: { type: integer } } }
    /// "#;
    /// let contract = Contract::read("pets.yaml", document.as_bytes())?;
    /// let pet = contract.find("GET", "/pets/7", &[]).expect("it is there");
    /// assert!(pet.differences(&Answer(200, r#"{"id": 7}"#)).is_empty());
    /// let differences = pet.differences(&Answer(200, r#"{"id": "7"}"#));
    /// assert_eq!(
    ///     differences[0].to_string(),
    ///     r#"GET /pets/{id}: $.id: expected an integer, got "7""#
    /// );
    /// # Ok::<_, floodgate_contract::ContractError>(())
    /// ```
    pub fn read(name: &str, text: &[u8]) -> Result<Self, ContractError> {
        let document = Arc::new(Document::read(name, text)?);
        let mut faults = document.dangling();
        let mut operations = operation::all(&document, &mut faults);
        if operations.is_empty() && faults.is_empty() {
            faults.push(Fault::at("/paths", "there are no operations"));
        }
        if !faults.is_empty() {
            return Err(ContractError::Broken {
                name: name.to_owned(),
                faults,
            });
        }
        operations.sort_by(Operation::before);
        Ok(Self {
            name: name.to_owned(),
            operations,
        })
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All operations.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation of a request: by its method and by its path without a query, below the path of one of the document's servers or
    /// below one of `bases`.
    pub fn find(&self, method: &str, path: &str, bases: &[&str]) -> Option<&Operation> {
        let mut operations = self.operations.iter();
        operations.find(|operation| operation.takes(method, path, bases))
    }
}
